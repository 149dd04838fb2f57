"""HdrHistograms of times: one unit, one range, exact merging.

The unit is the nanosecond and the range is 1 ns to 1,000 s with 3 significant digits, so a time
of 1 us or more is kept within 0.1 %. Merging adds counts and loses nothing, which is why
histograms, never percentiles, travel between processes.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate

from hdrh.histogram import HdrHistogram

from results.errors import ResultsError

UNIT = "ns"
HIGHEST_NS = 1_000_000_000_000
DIGITS = 3
NS_PER_MS = 1e6


def new_histogram() -> HdrHistogram:
    """Return an empty histogram of nanoseconds."""
    return HdrHistogram(1, HIGHEST_NS, DIGITS)


def record_ns(histogram: HdrHistogram, nanoseconds: int, count: int = 1) -> None:
    """Count ``nanoseconds``; what lies outside of the range is counted at its edge.

    Nothing is dropped, so the count agrees with the audit. A message that left before its
    intended time may arrive before it: that counts as 0.
    """
    histogram.record_value(min(max(nanoseconds, 0), HIGHEST_NS), count)


def encode(histogram: HdrHistogram) -> str:
    """Write the standard compressed HdrHistogram form as base64 text."""
    return str(histogram.encode().decode("ascii"))


def decode(text: str) -> HdrHistogram:
    """Read :func:`encode`'s text. Raises :class:`~results.errors.ResultsError`."""
    try:
        return HdrHistogram.decode(text)
    except Exception as error:  # the library raises many kinds, zlib and binascii among them
        raise ResultsError(f"not an encoded HdrHistogram: {error}") from error


def merge(histograms: Iterable[HdrHistogram]) -> HdrHistogram:
    """Add histograms up, exactly."""
    total = new_histogram()
    for histogram in histograms:
        if histogram.get_total_count():  # the library takes 0 for the least value of an empty one
            total.add(histogram)
    return total


def recorded(histogram: HdrHistogram) -> Iterator[tuple[int, int, int]]:
    """Yield (lowest, highest, count) in ns for each bucket in use, rising.

    The library's own iterators visit every bucket of the range; this one only those between the
    least and the greatest value, which is many times faster.
    """
    if not histogram.get_total_count():
        return
    first = histogram.get_counts_array_index(histogram.get_min_value())
    last = histogram.get_counts_array_index(histogram.get_max_value())
    for index, count in enumerate(histogram.counts[first : last + 1], first):
        if count:
            lowest = histogram.get_value_from_index(index)
            yield lowest, histogram.get_highest_equivalent_value(lowest), count


def curve(histogram: HdrHistogram) -> tuple[list[float], list[float]]:
    """Return the exact distribution: times in ms (rising) and the share of counts up to each."""
    total = histogram.get_total_count()
    buckets = list(recorded(histogram))
    counts = accumulate(count for _, _, count in buckets)
    return [highest / NS_PER_MS for _, highest, _ in buckets], [count / total for count in counts]


def percentiles_ms(histogram: HdrHistogram, *percents: float) -> list[float]:
    """Return for each of ``percents`` the least time in ms that so many % do not exceed.

    The nearest rank, without interpolation; NaN for an empty histogram.
    """
    times, shares = curve(histogram)
    if not times:
        return [float("nan")] * len(percents)
    # Shares are quotients of counts: a hair of slack keeps 29 of 100 from missing 29 %.
    ranks = [bisect_left(shares, percent / 100 - 1e-12) for percent in percents]
    return [times[min(rank, len(times) - 1)] for rank in ranks]


def percentile_ms(histogram: HdrHistogram, percent: float) -> float:
    """Return one percentile in ms; see :func:`percentiles_ms`."""
    return percentiles_ms(histogram, percent)[0]


def range_ms(histogram: HdrHistogram) -> tuple[float, float]:
    """Return the least and the greatest value in ms; NaN for an empty histogram."""
    if not histogram.get_total_count():
        return float("nan"), float("nan")
    return histogram.get_min_value() / NS_PER_MS, histogram.get_max_value() / NS_PER_MS


def mean_ms(histogram: HdrHistogram) -> float:
    """Return the mean in ms, each value taken as its bucket's middle; NaN when empty."""
    if not histogram.get_total_count():
        return float("nan")
    total = sum((low + high) / 2 * count for low, high, count in recorded(histogram))
    return total / int(histogram.get_total_count()) / NS_PER_MS
