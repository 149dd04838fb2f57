"""The course as pages to read without running anything.

Rule of this room: what it writes fetches nothing from outside, and has no script.
"""
