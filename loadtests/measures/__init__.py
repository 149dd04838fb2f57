"""Counts that add up: times, audits, bytes, the generator's condition.

Rule of this room: neither gevent nor Locust; whatever is here merges exactly across processes.
"""
