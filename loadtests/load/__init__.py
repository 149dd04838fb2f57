"""The load itself, inside of Locust.

Rule of this room: it is, with ``user`` and ``scenarios``, the only place for gevent and Locust.
"""
