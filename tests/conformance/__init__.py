"""What every technique must do: a specification that runs.

Real servers in processes of their own, real clients, real bytes. The technique is the one axis:
a test that takes ``technique`` runs once for each of the eight, and what only some can do says so
in its name. Each test has a channel of its own, so they may run in any order.
"""
