"""Figures of a run, one function each.

Rule of this room: data come in, drawings go out; one style, and one colour and marker for each
technique.
"""
