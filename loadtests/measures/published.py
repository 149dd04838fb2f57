"""What became of a schedule of messages."""

from dataclasses import dataclass, field

from loadtests.measures.measure import Flow
from wire.cursor import parse_cursor


@dataclass(slots=True)
class Published:
    """What became of the schedule; warm-up messages are in ``warm_up`` only.

    ``asked`` were due, ``accepted`` were answered with 201, ``failed`` were refused or lost;
    ``began_ns`` and ``ended_ns`` bound the measured time (by the server's monotonic clock);
    ``finals`` has the last id seen for each epoch of the channel.
    """

    asked: int = 0
    accepted: int = 0
    failed: int = 0
    warm_up: int = 0
    began_ns: int = 0
    ended_ns: int = 0
    finals: dict[str, int] = field(default_factory=dict)
    flow: Flow = field(default_factory=Flow)

    def note(self, cursor: str) -> None:
        """Remember how far the channel is."""
        if cursor:
            at = parse_cursor(cursor)
            self.finals[at.epoch] = max(at.id, self.finals.get(at.epoch, 0))
