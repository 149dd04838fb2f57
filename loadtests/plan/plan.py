"""What ``compare`` measures, and in which order: pure, so that a plan can be read and tested."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loadtests.plan.options import USUAL, Settings
from results.record.naming import CARRIERS, plain
from results.record.rows import Cell
from wire.techniques import SLUGS


@dataclass(frozen=True, slots=True)
class Network:
    """The way between subscribers and server: by the relay, unless it does nothing.

    ``delay_ms`` is added one way; each way of each connection carries ``kilobytes_per_s`` (of
    1,000 B), 0 stands for no limit. Of so many other ``hosts`` it is whatever lies between.
    """

    delay_ms: float = 0.0
    kilobytes_per_s: float = 0.0
    hosts: int = 0

    @property
    def label(self) -> str:
        """The network's name in tables."""
        if not self:
            return f"{self.hosts} hosts" if self.hosts else "loopback"
        limit = f", {plain(self.kilobytes_per_s)} kB/s" if self.kilobytes_per_s else ""
        return f"relay {plain(self.delay_ms)} ms{limit}"

    def __bool__(self) -> bool:
        return bool(self.delay_ms or self.kilobytes_per_s)


@dataclass(frozen=True, slots=True)
class Trial:
    """One cell, the settings of the load that measures it, and the way to the server."""

    cell: Cell
    settings: Settings
    network: Network = Network()


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
    carrier: str = CARRIERS[0]
    kilobytes_per_s: float = 0.0
    hosts: int = 0

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
        network = Network(level.delay_ms, self.kilobytes_per_s, self.hosts)
        cell = Cell(
            technique=slug,
            network=network.label,
            delay_ms=level.delay_ms,
            scenario=self.settings.scenario,
            variant=self.variant,
            users=level.users,
            rate=0.0 if self.settings.scenario == "idle" else level.rate,
            size_bytes=self.settings.size,
            repeat=repeat,
            carrier=self.carrier,
        )
        settings = replace(self.settings, rate=level.rate, seed=self.seed + repeat)
        if settings.scenario == "tokens":  # what has begun is written to its end
            settings = replace(settings, drain=settings.drain + settings.tokens / settings.rate)
        return Trial(cell, settings, network)


@dataclass(frozen=True, slots=True)
class Turns:
    """Two plans, A and B, measured in turns: each repeat is a block that has both.

    Within a block A and B of the same combination stand side by side, in random order, so that
    whatever the machine does in that minute it does to both. Their cells are told apart by the
    first word of ``variant``. Raises :class:`ValueError` for plans whose combinations do not pair.
    """

    a: Plan
    b: Plan

    def __post_init__(self) -> None:
        ours, theirs = (len(plan.techniques) * len(plan.levels) for plan in (self.a, self.b))
        many = len(self.a.techniques) > 1 or len(self.b.techniques) > 1
        if ours != theirs or (many and self.a.techniques != self.b.techniques):
            raise ValueError(
                "A and B have to pair: the same techniques, or one each, at as many levels; "
                f"these are {ours} and {theirs} combinations"
            )

    def trials(self) -> list[Trial]:
        """Return all trials in order; both sides of a block have the same messages due."""
        chance = random.Random(self.a.seed)
        ours, theirs = (
            sorted(_named(plan, side).trials(), key=lambda trial: _place(plan, trial))
            for plan, side in ((self.a, "A"), (self.b, "B"))
        )
        blocks: dict[int, list[list[Trial]]] = {}
        for pair in zip(ours, theirs, strict=True):
            blocks.setdefault(pair[0].cell.repeat, []).append(chance.sample(pair, 2))
        found = []
        for pairs in blocks.values():
            chance.shuffle(pairs)
            found += [trial for pair in pairs for trial in pair]
        return found


@dataclass(frozen=True, slots=True)
class Beside:
    """The plans of several servers, measured as one: drift hits all of them alike."""

    plans: tuple[Plan, ...]

    def trials(self) -> list[Trial]:
        """Return all trials: those of all servers shuffled within each repeat."""
        chance = random.Random(self.plans[0].seed)
        repeats: dict[int, list[Trial]] = {}
        for trial in (trial for plan in self.plans for trial in plan.trials()):
            repeats.setdefault(trial.cell.repeat, []).append(trial)
        return [trial for batch in repeats.values() for trial in chance.sample(batch, len(batch))]


def _named(plan: Plan, side: str) -> Plan:
    return replace(plan, variant=f"{side}, {plan.variant}" if plan.variant else side)


def _place(plan: Plan, trial: Trial) -> tuple[float, ...]:
    """Order trials by block, technique and load, whatever the order on the command line."""
    cell = trial.cell
    technique = plan.techniques.index(cell.technique)
    return (cell.repeat, technique, cell.delay_ms, cell.users, cell.rate, cell.size_bytes)


def settings_for(**told: Any) -> Settings:
    """Return the usual settings with those that were told, and what follows from these."""
    settings = replace(USUAL, **told)
    return replace(
        settings,
        naive=settings.scenario == "stall",
        drain=max(20.0 if settings.scenario == "storm" else 6.0, 3 * settings.poll_interval),
    )


def cross(
    users: Sequence[int], rates: Sequence[float], delays: Sequence[float]
) -> tuple[Level, ...]:
    """Return a level for each combination."""
    return tuple(Level(n, rate, delay) for n in users for rate in rates for delay in delays)
