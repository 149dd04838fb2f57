"""The slips of units that readers make, by the unit that was asked for."""

from notebooks.course.words import say

SLIPS = {
    "ms": {0.001: "seconds", 1000.0: "microseconds"},
    "s": {1000.0: "milliseconds", 1 / 60: "minutes"},
    "KiB": {1024.0: "bytes", 1 / 1024: "MiB"},
    "GiB": {1024.0: "MiB", 1024.0**2: "KiB", 1024.0**3: "bytes"},
    "Mbit/s": {0.125: "megabytes", 1e6: "bit/s", 1 / 1.048576: "Mibit/s (1,048,576 bits)"},
    "a share from 0 to 1": {100.0: "percent"},
}


def slip(answer: float, right: float, unit: str, within: float) -> str:
    """Say which unit an answer seems to be in, if it would be right in that one; else nothing.

    ``unit`` is the one that was asked for; words that follow it do not matter.
    """
    known = next((name for name in SLIPS if unit == name or unit.startswith(f"{name} ")), "")
    for factor, other in SLIPS.get(known, {}).items():
        if abs(answer - right * factor) <= max(within, 0.005) * abs(right * factor):
            return say(
                "That looks like {other}; asked for was {known}.",
                other=say(other),
                known=say(known),
            )
    return ""
