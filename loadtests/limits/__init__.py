"""How fast the server is, beside other ways to serve: ``python -m loadtests.limits``.

Rule of this room: ratios measured in one run, each with the bound that it must keep.
"""
