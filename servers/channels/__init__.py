"""What was said: named channels, their history, and who is there.

Rule of this room: it knows no transport, no HTTP and no socket; those it tells are plain calls.
"""
