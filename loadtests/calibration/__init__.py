"""Is the instrument right? Models, exact sizes, planted faults, sockets that use nothing of ours.

Rule of this room: what the suite says is held against something that was not made by it.
"""
