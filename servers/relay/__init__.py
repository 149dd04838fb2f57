"""A TCP relay that plays the network: distance, a narrow line, stalls and cuts.

Rule of this room: it moves and counts bytes and knows no HTTP, but in ``control``.
``python -m servers.relay`` runs it.
"""
