"""How deep the tests go where one could go on and on: ``DUPLEX_DEPTH=full`` for the whole of it.

By default everything is tried, and each thing where it can go wrong: the specification whole on a
plain server, and on all other servers each of its tests by one technique in turn; a few hundred
hostile streams; those cases of the Autobahn Testsuite that reach code of their own. The full depth
takes hours. Each number has a variable of its own besides.
"""

import os

VARIABLE, FULL, USUAL = "DUPLEX_DEPTH", "full", "usual"


def check_depth() -> str:
    """Return what is wrong with the variable, empty if nothing is."""
    asked = os.environ.get(VARIABLE) or USUAL
    return "" if asked in (FULL, USUAL) else f"{VARIABLE}={asked}: accepted is {FULL} or {USUAL}"


def is_full() -> bool:
    """Tell whether the whole is asked for."""
    return os.environ.get(VARIABLE) == FULL


def amount(variable: str, *, usual: float, full: float) -> float:
    """Return how much the environment asks for in ``variable``, else by the depth."""
    return float(os.environ.get(variable) or (full if is_full() else usual))
