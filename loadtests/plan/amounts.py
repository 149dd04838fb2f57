"""The numbers that our commands take, and which of them can be measured.

A rate of 0 or an interval that is no number would let a test run for minutes and measure nothing,
so a wrong one is told where it was given: by the command lines, and by Locust's page.
"""

import math
from argparse import ArgumentTypeError
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amount:
    """A finite number from ``least`` to ``most``; ``above`` leaves ``least`` itself out.

    Without ``least`` it may be negative.

    Called with a word of the command line it returns the number (argparse's ``type=``), or raises
    ``ArgumentTypeError``.
    """

    kind: type[int] | type[float]
    least: int | None = 0
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
        least = -math.inf if self.least is None else self.least
        enough = value > least if self.above else value >= least
        return enough and value <= self.most and math.isfinite(value)

    def __str__(self) -> str:
        """Say what is accepted."""
        noun = "a whole number" if self.kind is int else "a finite number"
        if self.least is None:
            return noun
        if self.most < math.inf:
            return f"{noun} from {self.least:,} to {self.most:,}"
        return f"{noun} {'greater than' if self.above else 'of at least'} {self.least}"


NOT_NEGATIVE = Amount(float)
POSITIVE = Amount(float, above=True)
AT_LEAST_ONE = Amount(int, least=1)
NONE_OR_MORE = Amount(int)
