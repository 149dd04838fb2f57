"""Right and wrong: how it looks, what is remembered of it, and what becomes of that.

Rule of this room: it judges nothing. Files of a reader are written only where a folder was handed
out as a copy of their own, which is told by its ``my-progress.json``.
"""
