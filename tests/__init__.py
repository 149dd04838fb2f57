"""The tests mirror the packages: tests/<package>/<room>/test_<module>.py.

Beside the packages stands what holds for all of them: `conformance`, the specification, which any
server can be asked; `unbreakable`, what no client may do to a server; `browser`, the lecture page
in a real browser. `support` is what they stand on. `python -m tests` runs every gate.
"""

import outside_venv  # noqa: F401 - it explains what is missing there
