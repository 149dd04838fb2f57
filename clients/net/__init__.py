"""One socket, its bytes and its counts; HTTP and WebSocket connections on it.

Rule of this room: it knows no channel and no technique.
"""
