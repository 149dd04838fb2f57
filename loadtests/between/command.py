"""``python -m loadtests between``: which technique gets through which intermediary.

Each intermediary is started as it is distributed and set for push, every technique goes through
each at once, and a table says what became of them, with the lines of configuration that cure.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from loadtests.between import network
from loadtests.between.crossing import SAID, Program
from loadtests.between.intermediary import ShelfError, read_shelf
from loadtests.between.judging import Seen, judge_all
from loadtests.between.staging import stages
from loadtests.between.telling import tell
from loadtests.between.ways import Way
from loadtests.plan.amounts import NOT_NEGATIVE
from loadtests.trials.processes import Child, ProcessError
from loadtests.trials.signals import interruptible
from results.console import Console
from results.errors import ResultsError
from results.record.crossings import NOTHING, Crossing, Matrix, Word, write_matrix
from results.record.facts import command_line, commit, host_facts
from results.record.files import write_text
from servers.front.certificates import CertificateError
from wire.techniques import SLUGS

MESSAGES, EVERY_S, OPEN_S, PATIENCE_S = 5, 0.43, 4.0, 6.0  # out of step with who asks
LONG_S, LONG_MESSAGES = 330.0, 45  # beyond what anybody waits by default; 20 s of use
LONG_PATIENCE_S = 20.0  # all of them at once make a small machine late
_OVER_S = 240.0  # what starting, waiting and ending may take beside the program's own time


def parse_arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog=os.environ.pop("DUPLEX_COMMAND", "python -m loadtests between"),
        description="Send every technique through what may stand between client and server: "
        "reverse proxies, TLS, forward proxies, each as distributed and set for push.",
    )
    add = parser.add_argument
    add(
        "names",
        nargs="*",
        metavar="NAME",
        help="which of the shelf in loadtests/between/shelf (default: all that are installed)",
    )
    add(
        "--silence",
        type=NOT_NEGATIVE,
        default=0.0,
        metavar="S",
        help="then say nothing for so long, to see who cuts (default: %(default)g, not tried)",
    )
    add(
        "--long",
        action="store_true",
        help=f"20 s of messages and {LONG_S:g} s of silence: six minutes",
    )
    add(
        "--heartbeat",
        type=NOT_NEGATIVE,
        default=0.0,
        metavar="S",
        help="let our server give signs of life so often (default: %(default)g, never)",
    )
    add("--front", metavar="URL", help="try what runs already at this address, before --server")
    add("--proxy", metavar="URL", help="try a forward proxy that runs already, towards --server")
    add(
        "--server",
        metavar="URL",
        help="our server that runs already, as reached directly; "
        "default: http://127.0.0.1:8000 with --front or --proxy, else it is started",
    )
    add("--plugin-port", type=int, metavar="N", help="its plugin socket (default: port + 1)")
    add("--cafile", metavar="PEM", help="whom to trust at an https:// address of --front")
    add("--out", type=Path, metavar="FOLDER", help="write the matrix and its figure there")
    options = parser.parse_args(words)
    if options.long:
        options.silence = options.silence or LONG_S
    if options.front and options.proxy:
        parser.error("--front and --proxy: one at a time")
    if options.names and (options.front or options.proxy):
        parser.error("NAME is of the shelf; --front and --proxy try what runs already")
    more = options.server or options.cafile or options.plugin_port
    if more and not (options.front or options.proxy):
        parser.error("--server, --plugin-port and --cafile go with --front or --proxy")
    return options


def program_of(options: argparse.Namespace) -> Program:
    """Return how much is said and how long is waited."""
    messages = LONG_MESSAGES if options.long else MESSAGES
    patience = LONG_PATIENCE_S if options.long else PATIENCE_S
    return Program(messages, EVERY_S, OPEN_S, patience, options.silence)


class Clients(Child):
    """The clients of some ways, in a process of their own."""

    def __init__(self, ways: Sequence[Way], program: Program) -> None:
        self.ways = ways
        self._folder = tempfile.TemporaryDirectory(prefix="duplex-")
        plan, self._out = (Path(self._folder.name) / name for name in ("plan.json", "seen.json"))
        told = {"ways": [way.dump() for way in ways], "program": asdict(program)}
        plan.write_text(json.dumps(told), encoding="utf-8")
        busy = program.messages * program.every_s
        own_s = busy + program.silence_s + 3 * program.patience_s + program.open_s
        self.patience_s = own_s + _OVER_S
        super().__init__("the clients", ["loadtests.between.crossing", str(plan), str(self._out)])

    def await_said(self) -> None:
        """Wait until all has been said to them, and they mostly wait."""
        self.await_match(f"^{SAID}$")

    def seen(self) -> list[Seen]:
        """Wait for their end and return what they saw. Raises ProcessError."""
        if not self.wait(self.patience_s) or self.status != 0 or not self._out.is_file():
            raise ProcessError(f"the clients did not come to an end:\n{self.last_words()}")
        return [
            Seen(**{**one, "latencies_ms": tuple(one["latencies_ms"])})
            for one in json.loads(self._out.read_text(encoding="utf-8"))
        ]

    def end(self) -> None:
        """End them."""
        super().end()
        self._folder.cleanup()


def run(options: argparse.Namespace, words: Sequence[str]) -> Matrix:
    """Do it all and return the matrix."""
    program = program_of(options)
    began = time.monotonic()
    crossings: list[Crossing] = []
    intermediaries: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        on_their_way: list[Clients] = []
        for stage in stages(options, stack):
            print(
                f"{len(stage.ways)} ways, {len(stage.ways) * len(SLUGS)} clients; about "
                f"{program.messages * program.every_s + program.silence_s + 12:.0f} s ...",
                file=sys.stderr,
                flush=True,
            )
            on_their_way.append(stack.enter_context(Clients(stage.ways, program)))
            intermediaries += stage.intermediaries
            # The next are put up while these wait for what does not come.
            on_their_way[-1].await_said()
        for clients in on_their_way:
            found = judge_all(clients.ways, clients.seen(), program.messages)
            crossings += [one for one in found if one not in crossings]  # nothing stands in all
    order = {NOTHING: "", **{one["name"]: one["title"] for one in intermediaries}}
    crossings.sort(key=lambda one: order[one.intermediary].lower())
    intermediaries.sort(key=lambda one: str(one["title"]).lower())
    head = {
        "date": date.today().isoformat(),
        "commit": commit(),
        "command": command_line(["python", "-m", "loadtests", "between", *words]),
        "host": host_facts(),
        "took_s": round(time.monotonic() - began, 1),
        "silence_s": program.silence_s,
        "use_s": program.messages * program.every_s,
        "heartbeat_s": options.heartbeat,
        "own_network": network.is_own(),
        "intermediaries": intermediaries,
    }
    return Matrix(head, tuple(crossings))


def _faults(crossings: Sequence[Crossing]) -> list[str]:
    """Return what must never be: a technique that fails with nothing in between."""
    return [
        f"{one.technique} by {one.way} with nothing in between: {one.text} {one.detail}"
        for one in crossings
        if one.intermediary == NOTHING and one.word is not Word.PASSES
    ]


def main(words: Sequence[str]) -> int:
    """Run the command; 1 where not even the way with nothing in between works, 2 for a mistake."""
    command = os.environ.get("DUPLEX_COMMAND", "python -m loadtests between")
    options = parse_arguments(words)
    try:
        if network.is_own():
            network.bring_up()
        elif not (options.front or options.proxy):
            read_shelf(options.names)  # a wrong name is told before anything is begun
            why = network.begin_again("loadtests", ["between", *words], command)
            print(f"{why}; so ports 80 and 443, and tunnels there, are left out", file=sys.stderr)
        with interruptible():
            matrix = run(options, words)
        tell(Console(), matrix)
        if options.out:
            write_matrix(options.out, matrix.head, matrix.crossings)
            from results.figures.matrix import crossings  # it takes a second to load

            write_text(options.out, "crossings.svg", text=crossings(matrix).svg())
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except (ShelfError, ProcessError, CertificateError, ResultsError, OSError) as error:
        print(f"between: {error}", file=sys.stderr)
        return 2
    for fault in (faults := _faults(matrix.crossings)):
        print(fault, file=sys.stderr)
    return 1 if faults else 0
