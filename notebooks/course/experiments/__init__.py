"""The experiments of the notebooks, one function each.

Rule of this room: blocking clients only, in a process of its own; each returns plain values.
"""
