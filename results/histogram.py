"""HdrHistograms of times: one unit, one range, exact merging.

The unit is the nanosecond and the range is 1 ns to 1,000 s with 3 significant digits, so a time
of 1 us or more is kept within 0.1 %. Merging adds counts and loses nothing, which is why
histograms, never percentiles, travel between processes.
"""

from collections.abc import Iterable
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
        total.add(histogram)
    return total


def percentile_ms(histogram: HdrHistogram, percent: float) -> float:
    """Return the value in ms that ``percent`` % of the counts do not exceed (0.0 when empty)."""
    return float(histogram.get_value_at_percentile(percent)) / NS_PER_MS


def curve(histogram: HdrHistogram) -> tuple[list[float], list[float]]:
    """Return the exact distribution: times in ms (rising) and the share of counts up to each."""
    times, counts = [], []
    if histogram.get_total_count():
        first = histogram.get_counts_array_index(histogram.get_min_value())
        last = histogram.get_counts_array_index(histogram.get_max_value())
        for index in range(first, last + 1):
            if count := histogram.get_count_at_index(index):
                value = histogram.get_value_from_index(index)
                times.append(histogram.get_highest_equivalent_value(value) / NS_PER_MS)
                counts.append(count)
    total = sum(counts)
    return times, [count / total for count in accumulate(counts)]
