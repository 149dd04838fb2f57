"""What is to be measured: settings, amounts, schedules, trials.

Rule of this room: pure; no clock, no socket, no process.
"""
