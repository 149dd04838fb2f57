"""``python -m notebooks.course.experiments NAME JSON`` makes one experiment of the notebooks.

Each runs in a process of its own, takes JSON, says JSON, and ends within half a minute. Every
function's first argument is a :class:`~notebooks.course.experiments.place.Place`: where server and
relay are. Times are in ms, bytes are TCP payload unless a name says otherwise. Threads are in
order here: no load generator imports this, and several blocking clients listen side by side.
"""

import argparse
import difflib
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from notebooks.course.experiments import (
    answers,
    cost,
    feed,
    programs,
    promises,
    sockets,
    trouble,
    weak_server,
    workers,
)
from notebooks.course.experiments.place import Place
from wire.techniques import BY_SLUG, unknown

EXPERIMENTS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        feed.feed,
        feed.crowd,
        feed.one_message,
        feed.echo,
        feed.opening,
        feed.trace,
        cost.layers,
        cost.uploads,
        cost.idle_memory,
        cost.request_rate,
        cost.time_wait,
        sockets.turn_by_turn,
        sockets.stalled_loop,
        sockets.nagle,
        weak_server.weak_server,
        trouble.resume,
        trouble.half_open,
        trouble.stall_seen,
        trouble.stalled_reader,
        trouble.both_ways,
        programs.someone_left,
        programs.in_turn,
        programs.origin,
        programs.chat,
        programs.answers_to,
        programs.transports,
        programs.plain_web_socket,
        promises.promises,
        answers.answer,
        answers.aborted,
        workers.reach,
    )
}


def fault(name: str, asked: dict[str, Any]) -> str:
    """Say what is wrong with an experiment's name or with what was asked of it; "" if nothing."""
    if name not in EXPERIMENTS:
        return f"there is no experiment {name!r}.{_guess(name, EXPERIMENTS)}"
    takes = inspect.signature(EXPERIMENTS[name]).parameters
    words = [word for word in takes if word not in ("place", "options")]
    strange = [word for word in asked if word not in words] if "options" not in takes else []
    if strange:
        return f"{name} takes no {strange[0]!r}.{_guess(strange[0], words)}"
    missing = [word for word in words if takes[word].default is takes[word].empty]
    missing = [word for word in missing if word not in asked]
    if missing:
        return f"{name} has to be told {' and '.join(missing)}"
    technique = asked.get("technique", ())
    slugs = [technique] if isinstance(technique, str) else technique
    return next((unknown(slug) for slug in slugs if slug not in BY_SLUG), "")


def _guess(word: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1)
    return (f" Did you mean {close[0]!r}?" if close else "") + f" There are {', '.join(known)}"


def main(arguments: Sequence[str]) -> int:
    """Run one experiment and print what it found."""
    parser = argparse.ArgumentParser(
        "python -m notebooks.course.experiments", description=(__doc__ or "").splitlines()[2]
    )
    parser.add_argument("name", metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument(
        "asked",
        type=json.loads,
        metavar="JSON",
        help='an object: "where" server and relay are, and what the experiment takes',
    )
    options = parser.parse_args(arguments)
    name, asked = options.name, options.asked
    place = Place(**asked.pop("where"))
    if wrong := fault(name, asked):
        print(wrong, file=sys.stderr)
        return 2
    found = EXPERIMENTS[name](place, **asked)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
