"""Quantiles of a few values, such as one per second: pure."""

from collections.abc import Sequence


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of the values lie (nearest rank; 0.0 if empty)."""
    if not values:
        return 0.0
    ordered = sorted(values)
    if share == 0.5 and len(ordered) % 2 == 0:
        return (ordered[len(ordered) // 2 - 1] + ordered[len(ordered) // 2]) / 2
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def worst_tenth(values: Sequence[float]) -> float:
    """Return what a tenth of the values, and always at least one of them, exceed.

    So a single bad second says nothing, however few there are. 0.0 for fewer than two.
    """
    ordered = sorted(values)
    beyond = max(len(ordered) // 10, 1)
    return ordered[-1 - beyond] if len(ordered) > beyond else 0.0
