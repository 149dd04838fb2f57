"""What every request and connection passes, whichever technique it asks for.

Rule of this room: it knows no channel. It listens, hands sockets over, keeps the ledger, says
what is wrong, and finds the dead.
"""
