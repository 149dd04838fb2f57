"""Sliders without a page: what moves, what is measured, and what a replay leaves out."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from notebooks.course.errors import LabError
from notebooks.course.explorations import EXPLORATIONS
from notebooks.course.hands_on import Bench
from tests.notebooks.books import PATHS, ROOT, cells

RECORDED = json.loads((ROOT / "notebooks/course/recordings/12.json").read_text("utf-8"))["entries"]
KNOWN = {"layers": next(found for key, found in RECORDED.items() if key.startswith("layers"))}
FEED = {"latency_ms": [10.0, 30.0], "bytes_up": 100, "bytes_down": 300}


def bench(name: str, live: bool = True, error: Exception | None = None) -> Bench:
    def measure(experiment: str, watch: Any, **asked: Any) -> Any:
        watch("it", 1.0, 2.0, {"polling": [10.0]})
        if error:
            raise error
        if experiment == "layers":
            return {slug: KNOWN["layers"][slug] for slug in asked["technique"]}
        return (
            FEED | {"load": 0.6}
            if experiment == "weak_server"
            else dict.fromkeys(asked["technique"], FEED)
        )

    lab: Any = SimpleNamespace(live=live, measure=measure)
    return Bench(EXPLORATIONS[name], lab, KNOWN)


def test_each_is_used_by_a_notebook_once() -> None:
    code = "\n".join(text for path in PATHS for text in cells(path, "code"))
    for name in EXPLORATIONS:
        assert code.count(f'explore("{name}", lab') == 1, name


@pytest.mark.parametrize("name", EXPLORATIONS)
def test_a_dial_moves_the_curve_and_a_measurement_puts_a_point(name: str) -> None:
    one = bench(name)
    first, second = EXPLORATIONS[name].dials[:2]
    before = one.plot()
    one.move(second.name, second.high)
    assert one.plot().lines != before.lines
    one.measure()
    points = one.plot().points
    assert points
    assert set(points) <= set(one.plot().lines)
    one.move(first.name, first.high)
    assert one.plot().points == points, "along its axis points stay"
    one.move(second.name, second.low)
    assert not one.plot().points, "of another line they are hidden"


@pytest.mark.parametrize("name", EXPLORATIONS)
@pytest.mark.parametrize("end", ["low", "high"])
def test_every_place_of_the_dials_can_be_measured_within_a_cell(name: str, end: str) -> None:
    one = EXPLORATIONS[name]
    values = {dial.name: getattr(dial, end) for dial in one.dials}
    experiment, asked = one.experiment(values)
    if experiment == "feed":
        assert asked["count"] / asked["rate"] <= 20
        assert asked["count"] >= 2
    assert all(y > 0 or values["delay_ms"] == 0 for y in one.lines(0.5, KNOWN | values).values())


def test_what_goes_wrong_in_a_measurement_is_told_and_nothing_is_drawn() -> None:
    one = bench("staleness", error=LabError("no"))
    one.measure()
    assert not one.measured
    assert not one.plot().dots


def test_without_a_kernel_the_beginning_stands_as_a_figure() -> None:
    data, about = bench("staleness")._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png"}
    assert "from" in about["image/png"]["alt"]
