"""The numbers that our commands take, and which of them can be measured.

A rate of 0 or an interval that is no number would let a test run for minutes and measure nothing,
so a wrong one is told where it was given: by both command lines, and by Locust's form.
"""

import math
from argparse import ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amount:
    """A finite number from ``least`` to ``most``; ``above`` leaves ``least`` itself out.

    Called with a word of the command line it returns the number (argparse's ``type=``), or raises
    ``ArgumentTypeError``.
    """

    kind: type[int] | type[float]
    least: int = 0
    most: float = math.inf
    above: bool = False

    def __call__(self, text: str) -> float:
        """Read a number."""
        try:
            value = self.kind(text)
        except ValueError:
            value = math.nan
        if not self.accepts(value):
            raise ArgumentTypeError(f"{text!r} is not {self}")
        return value

    def accepts(self, value: float) -> bool:
        """Whether ``value`` can be measured."""
        enough = value > self.least if self.above else value >= self.least
        return enough and value <= self.most and math.isfinite(value)

    def __str__(self) -> str:
        """Say what is accepted."""
        noun = "a whole number" if self.kind is int else "a finite number"
        if self.most < math.inf:
            return f"{noun} from {self.least:,} to {self.most:,}"
        return f"{noun} {'greater than' if self.above else 'of at least'} {self.least}"


NOT_NEGATIVE = Amount(float)
POSITIVE = Amount(float, above=True)
# By the name of the setting. The size is what the server takes as one message, less its JSON.
AMOUNTS: Mapping[str, Amount] = {
    "rate": POSITIVE,
    "size": Amount(int, most=4_000_000),
    "warm_up": NOT_NEGATIVE,
    "seconds": NOT_NEGATIVE,
    "poll_interval": POSITIVE,
    "hold": POSITIVE,
    "drain": NOT_NEGATIVE,
    "plugin_port": Amount(int, most=65_535),
}
AT_LEAST_ONE = Amount(int, least=1)
NONE_OR_MORE = Amount(int)


def complaint(form: Mapping[str, str]) -> str:
    """Say which number of a form, by the names of the settings, cannot be taken; else nothing."""
    for name in AMOUNTS.keys() & form.keys():
        try:
            AMOUNTS[name](form[name])
        except ArgumentTypeError as error:
            return f"{name.replace('_', ' ').capitalize()}: {error}."
    return ""
