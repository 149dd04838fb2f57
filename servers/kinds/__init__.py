"""What techniques of one kind share: pages that are loaded again, polls, streams, WebSockets.

Rule of this room: a technique adds its framing and nothing else; what two of them do alike is here.
"""
