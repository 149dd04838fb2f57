"""The experiments of the notebooks, one function each: ``python -m clients.experiments NAME JSON``.

Each runs in a process of its own, takes JSON, says JSON, and ends within half a minute. Every
function's first argument is :class:`~clients.experiment_place.Place`, where server and relay are.
Times are in ms, bytes are TCP payload unless a name says otherwise. Threads are in order here: no
load generator imports this, and several blocking clients listen side by side.
"""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from clients import experiment_cost, experiment_feed, experiment_sockets, experiment_trouble
from clients.experiment_place import Place

EXPERIMENTS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        experiment_feed.feed,
        experiment_feed.one_message,
        experiment_feed.echo,
        experiment_feed.opening,
        experiment_feed.trace,
        experiment_cost.layers,
        experiment_cost.uploads,
        experiment_cost.idle_memory,
        experiment_cost.request_rate,
        experiment_cost.time_wait,
        experiment_sockets.turn_by_turn,
        experiment_sockets.stalled_loop,
        experiment_sockets.nagle,
        experiment_trouble.resume,
        experiment_trouble.half_open,
        experiment_trouble.stall_seen,
        experiment_trouble.stalled_reader,
        experiment_trouble.both_ways,
    )
}


def main(arguments: Sequence[str]) -> int:
    """Run one experiment and print what it found."""
    name, words = arguments
    asked = json.loads(words)
    found = EXPERIMENTS[name](Place(**asked.pop("where")), **asked)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
