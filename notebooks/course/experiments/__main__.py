"""``python -m notebooks.course.experiments NAME JSON`` makes one experiment of the notebooks.

Each runs in a process of its own, takes JSON, says JSON, and ends within half a minute. Every
function's first argument is a :class:`~notebooks.course.experiments.place.Place`: where server and
relay are. Times are in ms, bytes are TCP payload unless a name says otherwise. Threads are in
order here: no load generator imports this, and several blocking clients listen side by side.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from notebooks.course.experiments import cost, feed, sockets, trouble
from notebooks.course.experiments.place import Place

EXPERIMENTS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        feed.feed,
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
        trouble.resume,
        trouble.half_open,
        trouble.stall_seen,
        trouble.stalled_reader,
        trouble.both_ways,
    )
}


def main(arguments: Sequence[str]) -> int:
    """Run one experiment and print what it found."""
    parser = argparse.ArgumentParser(
        "python -m notebooks.course.experiments", description=(__doc__ or "").splitlines()[2]
    )
    parser.add_argument("name", choices=EXPERIMENTS, metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument(
        "asked",
        type=json.loads,
        metavar="JSON",
        help='an object: "where" server and relay are, and what the experiment takes',
    )
    options = parser.parse_args(arguments)
    name, asked = options.name, options.asked
    found = EXPERIMENTS[name](Place(**asked.pop("where")), **asked)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
