"""What clients of one kind share: by requests, on a timer, by reloading pages.

Rule of this room: a technique's own file adds only what is peculiar to it.
"""
