"""Thresholds as they are written: what is read, and what is refused with what is accepted."""

import pytest

from results.record.thresholds import read_threshold


@pytest.mark.parametrize(
    ("text", "technique", "metric", "figure", "limit"),
    [
        ("p99 > 20 ms", "", "delivery", "p99", 20.0),
        ("p99>20", "", "delivery", "p99", 20.0),
        ("p99.9 >= 1.5 s", "", "delivery", "p99.9", 1500.0),
        ("max > 50us", "", "delivery", "max", 0.05),
        ("lost > 0", "", "delivery", "lost", 0.0),
        ("lost > 0.5 %", "", "delivery", "lost", 0.005),
        ("server_cpu > 50 %", "", "delivery", "server_cpu", 0.5),
        (" sse : connect.p50 > .5 s ", "sse", "connect", "p50", 500.0),
        ("received < 100", "", "delivery", "received", 100.0),
    ],
)
def test_what_is_written_is_read(
    text: str, technique: str, metric: str, figure: str, limit: float
) -> None:
    found = read_threshold(text)
    assert (found.technique, found.metric, found.figure) == (technique, metric, figure)
    assert found.limit == pytest.approx(limit)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no threshold"),
        ("p99", "no threshold"),
        ("p99 20 ms", "no threshold"),
        ("p99 > ms", "no threshold"),
        ("p99 > -1 ms", "no threshold"),
        ("p99 > nan", "no threshold"),
        ("p99 > 1e3", "no threshold"),
        ("p99 == 20 ms", "no threshold"),
        ("p99 > 20 ms and lost > 0", "no threshold"),
        ("p98 > 20 ms", "no figure 'p98'"),
        ("p99 > 20 min", "no unit 'min'"),
        ("lost > 3 ms", "no unit 'ms'"),
        ("quic: p99 > 20 ms", "no technique 'quic'"),
        ("hop.p99 > 20 ms", "no metric 'hop'"),
        ("publish.lost > 0", "not of publish"),
    ],
)
def test_what_cannot_be_read_says_what_is_accepted(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"write \[TECHNIQUE:\]") as error:
        read_threshold(text)
    assert said in str(error.value)
