"""The lessons' code: the laboratory, exercises, figures of the course.

Rule of this room: nobody imports it but notebooks; it measures in subprocesses.
"""
