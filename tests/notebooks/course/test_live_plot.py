"""Plots by hand: they are well-formed, say what they show, and put things where they belong."""

import re
from xml.etree import ElementTree

from notebooks.course.live_plot import Plot, draw, strip, words

LINE = [(n / 10, 100.0 * n) for n in range(1, 11)]


def circles(svg: str) -> list[tuple[float, float]]:
    return [
        (float(x), float(y)) for x, y in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg)
    ]


def test_a_point_on_the_line_is_drawn_on_it_and_higher_is_higher() -> None:
    for log in ("", "x", "y", "xy"):
        svg = draw(Plot("T", "ms", {"polling": LINE}, {"polling": LINE[3:5]}, log=log))
        ElementTree.fromstring(svg)
        line = re.search(r'<polyline points="([^"]+)"', svg)
        assert line
        places = [tuple(map(float, one.split(","))) for one in line[1].split()]
        assert circles(svg) == places[3:5]
        assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)


def test_it_says_itself_and_nothing_in_it_is_markup() -> None:
    plot = Plot("<T>", "a & b", {"sse": LINE}, {"sse": [(0.4, 410.0)]})
    assert "Server-Sent Events from 100 to 1,000" in words(plot)
    assert "410 at 0.4" in words(plot)
    root = ElementTree.fromstring(draw(plot))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == words(plot)


def test_nothing_yet_and_all_the_same_can_be_drawn() -> None:
    ElementTree.fromstring(strip({"sse": []}))
    svg = strip({"sse": [5.0, 5.0, 5.0], "polling": [200.0]})
    assert len(circles(svg)) == 4
    assert "Server-Sent Events: 3; Polling: 1" in svg
    ElementTree.fromstring(draw(Plot("x", "y", {"sse": [(1, 0), (2, 0)]})))
