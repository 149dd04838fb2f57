"""Somebody else's programs, for notebooks: started, spoken to, ended.

A program is named as ``python -m loadtests start`` takes it: a server of the shelf, or that and a
program beside it. Each visit begins anew, so nobody meets what an earlier one left. Where a program
cannot be had, for want of Node.js or a network at its first use, what was recorded is shown.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from notebooks.course.errors import LabError
from notebooks.course.lab import Lab
from notebooks.course.processes import Program, started
from notebooks.course.words import say


def visit(lab: Lab, program: str, experiment: str, **asked: Any) -> Any:
    """Start a program, make one experiment with it, and return what that found.

    Raises :class:`~notebooks.course.errors.LabError`.
    """

    def make() -> Any:
        with started(Program, program) as there:
            place = {"server_url": there.url, "url": there.url, "plugin_port": 0}
            return lab.make(experiment, place, 0.0, asked)

    return _take(lab, f"{experiment} at {program} {json.dumps(asked, sort_keys=True)}", make)


def try_start(lab: Lab, program: str) -> str:
    """Start a program and end it again; return why it did not start, or that it did."""

    def make() -> str:
        try:
            started(Program, program).end()
        except LabError as error:
            faults = [line for line in str(error).splitlines() if re.match(r"\w*Error: ", line)]
            if not faults:
                raise
            return faults[-1]
        return "it runs"

    return str(_take(lab, f"start {program}", make))


def _take(lab: Lab, key: str, make: Callable[[], Any]) -> Any:
    try:
        return lab.take(key, make)
    except LabError as error:
        if not lab.live or lab.recording:
            raise
        print(say("{why}; shown is what was recorded", why=str(error).splitlines()[-1]))
        return lab.recorded(key)
