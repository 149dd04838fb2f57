"""What ``compare`` measures, and in which order: pure, so that a plan can be read and tested."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from loadtests.plan.options import Settings
from results.record.rows import Cell, plain
from wire.techniques import SLUGS


@dataclass(frozen=True, slots=True)
class Network:
    """The way between subscribers and server: ``delay_ms`` one way, by the relay if not 0."""

    delay_ms: float = 0.0

    @property
    def label(self) -> str:
        """The network's name in tables."""
        return f"relay {plain(self.delay_ms)} ms" if self.delay_ms else "loopback"


@dataclass(frozen=True, slots=True)
class Trial:
    """One cell and the settings of the load that measures it."""

    cell: Cell
    settings: Settings


@dataclass(frozen=True, slots=True)
class Level:
    """One load: users, messages per second, and the delay of the network."""

    users: int
    rate: float
    delay_ms: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for. Every technique is measured at every level, ``repeats`` times."""

    techniques: tuple[str, ...] = SLUGS
    levels: tuple[Level, ...] = (Level(40, 20, 0.0), Level(40, 20, 25.0))
    repeats: int = 1
    seed: int = 1
    variant: str = ""
    settings: Settings = field(default_factory=Settings)

    def trials(self) -> list[Trial]:
        """Return all trials: shuffled within each repeat, so that drift hits all alike."""
        chance = random.Random(self.seed)
        found = []
        for repeat in range(1, self.repeats + 1):
            batch = [
                self._trial(slug, level, repeat)
                for level in self.levels
                for slug in self.techniques
            ]
            chance.shuffle(batch)
            found += batch
        return found

    def _trial(self, slug: str, level: Level, repeat: int) -> Trial:
        cell = Cell(
            technique=slug,
            network=Network(level.delay_ms).label,
            delay_ms=level.delay_ms,
            scenario=self.settings.scenario,
            variant=self.variant,
            users=level.users,
            rate=0.0 if self.settings.scenario == "idle" else level.rate,
            size_bytes=self.settings.size,
            repeat=repeat,
        )
        return Trial(cell, replace(self.settings, rate=level.rate, seed=self.seed + repeat))


def cross(
    users: Sequence[int], rates: Sequence[float], delays: Sequence[float]
) -> tuple[Level, ...]:
    """Return a level for each combination."""
    return tuple(Level(n, rate, delay) for n in users for rate in rates for delay in delays)
