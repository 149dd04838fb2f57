"""How figures write numbers, techniques and verdicts; needs no data, so that whoever only writes
loads none of what reads runs.
"""

from math import isfinite

from results.record.verdicts import Verdict
from wire.techniques import BY_SLUG


def title(slug: str) -> str:
    """Return a technique's name."""
    return BY_SLUG[slug].title


def short(value: float) -> str:
    """Write a value with three digits at most, thousands apart, no exponent."""
    if not isfinite(value):
        return "not known"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def unless_valid(verdict: object) -> str:
    """Return the verdict in brackets, or nothing when it is ``VALID``."""
    return "" if verdict == Verdict.VALID else f" ({verdict})"
