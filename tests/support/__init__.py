"""What tests of several folders stand on, one of each: waiting, processes, relays, raw sockets.

It knows no test. What only one folder needs stands in that folder.
"""
