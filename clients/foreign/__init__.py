"""Clients of servers that are not ours: what such a server says stands in a file of its own.

Rule of this room: a peer file says everything that is peculiar to a server, the clients here only
what a technique is; so a new server is a new file, and no code.
"""
