"""A run on disk: its rows, how they are written, read and judged.

Rule of this room: it knows what a number means and not how it is drawn.
"""
