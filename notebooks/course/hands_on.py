"""Sliders: a model's curve moves with them, and a button measures where they stand.

``explore("staleness", lab)`` shows an exploration of :mod:`notebooks.course.explorations`. In a
replay the sliders move the models all the same and nothing is measured. Where no widgets can be
shown (on the web, in a page without a kernel) the curve stands as it begins.
"""

import asyncio
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from notebooks.course.errors import PlainError, Stopped
from notebooks.course.explorations import EXPLORATIONS, Dial, Exploration
from notebooks.course.figures import curves
from notebooks.course.lab import Lab
from notebooks.course.live_plot import Plot, draw
from notebooks.course.progress import bar, shell
from notebooks.course.words import say
from results.figures.words import short

_STEPS = 60  # points of a line
_REDRAW_S = 0.04


class Bench:
    """One exploration: where its dials stand, what was measured, and the widgets, if there are."""

    def __init__(self, exploration: Exploration, lab: Lab, known: Mapping[str, Any]) -> None:
        self.exploration, self._lab, self._known = exploration, lab, known
        self.values: dict[str, Any] = {dial.name: dial.start for dial in exploration.dials}
        self.measured: list[tuple[dict[str, Any], float, dict[str, float]]] = []
        self._dots: Mapping[str, Sequence[float]] = {}
        self._redraws = False
        self._box: Any = None

    # What is shown.

    def plot(self) -> Plot:
        """Return what there is to draw now; points of other dials' places are left out."""
        one, first = self.exploration, self.exploration.dials[0]
        here = float(self.values[first.name])
        points: dict[str, list[tuple[float, float]]] = {}
        others = {name: at for name, at in self.values.items() if name != first.name}
        for values, x, found in self.measured:
            if {name: at for name, at in values.items() if name != first.name} == others:
                for slug, y in found.items():
                    points.setdefault(slug, []).append((x, y))
        dots = {slug: [(here, y) for y in row] for slug, row in self._dots.items()}
        x_label, y_label = say(first.label), say(one.y_label)
        return Plot(x_label, y_label, self._lines(), points, dots, here, one.log)

    def _lines(self) -> dict[str, list[tuple[float, float]]]:
        first = self.exploration.dials[0]
        lines: dict[str, list[tuple[float, float]]] = {}
        for n in range(_STEPS + 1):
            share = n / _STEPS
            if "x" in self.exploration.log:
                x = first.low * (first.high / first.low) ** share
            else:
                x = first.low + (first.high - first.low) * share
            for slug, y in self.exploration.lines(x, {**self._known, **self.values}).items():
                lines.setdefault(slug, []).append((x, y))
        return lines

    def still(self) -> Any:
        """Return the beginning as a drawing, for readers without a kernel."""
        one = self.exploration
        lines = {
            slug: ([x for x, _ in points], [y for _, y in points])
            for slug, points in self._lines().items()
        }
        x_label, conditions = (
            one.dials[0].label,
            ", ".join(f"{dial.label} = {short(self.values[dial.name])}" for dial in one.dials[1:]),
        )
        return curves(lines, one.title, x_label, one.y_label, log=one.log, conditions=conditions)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Show the widgets where there are any, and the beginning as a figure where not."""
        drawing = self.still()
        png, about = drawing._repr_png_()
        bundle: dict[str, Any] = {"text/plain": repr(self), "image/png": png}
        if (box := self.box()) is not None:
            bundle |= box._repr_mimebundle_()
        return bundle, {"image/png": about}

    def __repr__(self) -> str:
        return self.exploration.title

    # What is done.

    def move(self, name: str, value: float) -> None:
        """Set a dial; the plot follows, as often as it can."""
        self.values[name] = value
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self.redraw()
        if not self._redraws:
            self._redraws = True
            loop.call_later(_REDRAW_S, self.redraw)

    def redraw(self) -> None:
        """Draw anew what is shown, if anything is."""
        self._redraws = False
        if self._box is not None:
            self._picture.value = draw(self.plot())

    def measure(self) -> None:
        """Measure where the dials stand, and put the points in; what goes wrong is told below."""
        values = dict(self.values)
        name, asked = self.exploration.experiment(values)
        try:
            found = self._lab.measure(name, watch=self._watch, **asked)
        except (PlainError, Stopped) as error:
            return self._tell(escape(f"{type(error).__name__}: {error}"))
        finally:
            self._dots = {}
            self.redraw()
        points = dict(self.exploration.points(found, values))
        place = self.exploration.at
        x = place(found, values) if place else float(values[self.exploration.dials[0].name])
        self.measured.append((values, x, points))
        self.redraw()
        self._tell(escape(self._beside(x, points, values)))

    def _beside(self, x: float, points: Mapping[str, float], values: Mapping[str, Any]) -> str:
        model = self.exploration.lines(x, {**self._known, **values})
        return "; ".join(
            f"{slug}: {say('measured')} {short(y)}, {say('model')} {short(model[slug])}"
            for slug, y in points.items()
        )

    def _watch(self, what: str, took: float, planned: float, dots: Any) -> None:
        self._tell(bar(what, took, planned))
        self._dots = dots
        self.redraw()

    def _tell(self, html: str) -> None:
        if self._box is not None:
            self._status.value = f'<div role="status">{html}</div>'

    # The widgets.

    def box(self) -> Any:
        """Return the widgets, made once; nothing where there is no kernel that could move them."""
        if self._box is None and shell() is not None:
            import ipywidgets as widgets

            self._picture, self._status = widgets.HTML(), widgets.HTML()
            button = widgets.Button(
                description=say("Measure this point"), button_style="primary", icon="crosshairs"
            )
            button.layout.width, button.disabled = "auto", not self._lab.live
            button.on_click(lambda _: self.measure())
            button.add_class("duplex-measure")
            dials = [self._slider(widgets, dial) for dial in self.exploration.dials]
            self._box = widgets.VBox([*dials, self._picture, button, self._status])
            if not self._lab.live:
                self._tell(say("A replay measures nothing; the sliders move the model."))
            self.redraw()
        return self._box

    def _slider(self, widgets: Any, dial: Dial) -> Any:
        whole = all(float(one).is_integer() for one in (dial.low, dial.step, dial.start))
        kind = widgets.IntSlider if whole else widgets.FloatSlider
        slider = kind(
            value=dial.start,
            min=dial.low,
            max=dial.high,
            step=dial.step,
            description=say(dial.label),
            style={"description_width": "16em"},
            layout={"width": "40em", "max_width": "100%"},
        )
        slider.add_class(f"duplex-{dial.name.replace('_', '-')}")
        slider.observe(lambda change: self.move(dial.name, change["new"]), "value")
        return slider


def explore(name: str, lab: Lab, **known: Any) -> Bench:
    """Show sliders for a model of the course; ``known`` is what it needs of the notebook."""
    return Bench(EXPLORATIONS[name], lab, known)
