"""Other people's ways to serve, to be measured beside ours.

Rule of this room: the same contract and the same ready line, importing ``wire`` only.
"""
