"""Trials from the outside: servers, relay and Locust as subprocesses, and what came of them.

Rule of this room: no Locust in this process; everything that runs is a subprocess that is ended.
"""
