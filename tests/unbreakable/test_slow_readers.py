"""Whoever stops reading is not waited for, costs a bounded amount, and misses nothing that is left.

A hundred subscribe; ten of them stop reading while messages pour in. What is asserted is who gets
what, and how much memory the server takes for it, not how fast it is.
"""

HEALTHY, SLOW = 90, 10
BODY = "x" * 2000
SLUGS = ["sse", "forever_frame", "web_socket", "plugin_socket"]
