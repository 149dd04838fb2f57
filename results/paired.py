"""Whether paired values differ: exact, for few pairs, and for any symmetric noise.

Wilcoxon's signed-rank test (1945) with its own estimate and interval (Hodges and Lehmann, 1963):
all three are made of the same ranks, so they never contradict each other. Pure functions of
numbers; the pairs are the independent observations.
"""

import math
from collections.abc import Sequence
from itertools import accumulate, combinations_with_replacement
from statistics import median

SIGNIFICANT = 0.05


def exceeds_p(values: Sequence[float], margin: float = 0.0) -> float:
    """Return the two-sided p value against "the values' middle lies within +- ``margin``".

    With ``margin`` 0 that is the exact signed-rank test. Else both sides are tested, each against
    its own edge, and the smaller p counts twice.
    """
    above = _upper_p([value - margin for value in values])
    below = _upper_p([-value - margin for value in values])
    return min(1.0, 2 * min(above, below))


def middle(values: Sequence[float]) -> float:
    """Return the Hodges-Lehmann estimate: the median of the means of all pairs; NaN if empty."""
    return float(median(_walsh(values))) if values else math.nan


def interval(values: Sequence[float], confidence: float = 1 - SIGNIFICANT) -> tuple[float, float]:
    """Return the interval of :func:`middle`; (NaN, NaN) where so few values have none.

    For 95 % it takes six.
    """
    means = _walsh(values)
    ways = _ways([2 * rank for rank in range(1, len(values) + 1)])[::2]
    shares = [count / 2 ** len(values) for count in accumulate(ways)]
    outside = sum(share <= (1 - confidence) / 2 for share in shares)
    if not outside:
        return math.nan, math.nan
    return means[outside - 1], means[-outside]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values corrected for their number (Holm, 1979).

    Whatever is at most 0.05 after it is wrong with at most 5 % for *all* tests together.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - place)))
        corrected[index] = highest
    return corrected


def pairs_needed(tests: int) -> int:
    """Return how many pairs it takes until one of so many tests can be significant at all."""
    return 1 + math.ceil(math.log2(max(tests, 1) / SIGNIFICANT))


def _upper_p(values: Sequence[float]) -> float:
    """Return the chance, were each sign a coin's, of ranks above zero that sum up so high."""
    values = [value for value in values if value]
    sizes = [abs(value) for value in values]
    # Doubled, so that the mean rank of equal values is a whole number.
    ranks = [2 * sum(one < size for one in sizes) + sizes.count(size) + 1 for size in sizes]
    seen = sum(rank for rank, value in zip(ranks, values, strict=True) if value > 0)
    ways = _ways(ranks)
    return float(sum(ways[seen:]) / 2 ** len(ranks))


def _ways(ranks: Sequence[int]) -> list[int]:
    """Return in how many ways some of the ranks sum up to 0, 1, 2, ..."""
    ways = [1] + [0] * sum(ranks)
    for rank in ranks:
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways


def _walsh(values: Sequence[float]) -> list[float]:
    return sorted((a + b) / 2 for a, b in combinations_with_replacement(values, 2))
