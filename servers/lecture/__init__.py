"""The lecture page: a program on top of the server.

Rule of this room: it may use everything below, and nothing below imports it.
"""
