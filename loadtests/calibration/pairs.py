"""A against B, held against itself: identical sides give no finding, a planted fifth is found.

``python -m loadtests.calibration.pairs`` takes about three minutes. A cell is measured in blocks of
two like ones, and then twenty comparisons draw who of each block is called A: at most one of them
may find something. Then a relay whose way takes a fifth longer is measured in turns with one that
does not, and must be found. A host that does something else leaves too few blocks for either.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from loadtests.plan.amounts import Amount
from loadtests.plan.options import USUAL
from loadtests.plan.plan import Level, Plan, Turns
from loadtests.trials.compare import compare
from results.console import Console
from results.errors import ResultsError
from results.paired import pairs_needed
from results.record.naming import SIDES
from results.record.rows import FIGURES

if TYPE_CHECKING:
    from results.record.reading import Run

_COMPARISONS, _MOST_FINDINGS = 20, 1
_PLANTED = 0.2
_NEAR_MS, _FAR_MS = 0.0, 20.0
_SETTINGS = replace(USUAL, rate=50.0, warm_up=0.2, seconds=1.5)
_USERS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both, print what was found, and return 0 if it is as it should be."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.calibration.pairs", description=(__doc__ or "").splitlines()[0]
    )
    least = pairs_needed(len(FIGURES))
    parser.add_argument(
        "--blocks",
        type=Amount(int, least=least),
        default=least + 3,
        help="of identical cells; the planted fifth has two more than it needs "
        "(default: %(default)s)",
    )
    blocks = parser.parse_args(arguments).blocks
    console = Console()
    try:
        with TemporaryDirectory(prefix="duplex-") as place:
            same = _measure(_NEAR_MS, _NEAR_MS, blocks, Path(place) / "same", console)
            slower = _FAR_MS * (1 + _PLANTED)
            other = _measure(_FAR_MS, slower, least + 2, Path(place) / "other", console)
        found = sum(findings(relabelled(same, seed)) != [] for seed in range(_COMPARISONS))
        console.print(f"identical sides: {found} of {_COMPARISONS} comparisons find a difference")
        planted = findings(other)
    except ResultsError as error:
        console.print(str(error), style="red")
        return 1
    console.print(f"a planted {_PLANTED:.0%}: {', '.join(planted) or 'not found'}")
    is_found = any(said.startswith("p50 B is slower") for said in planted)
    return int(found > _MOST_FINDINGS or not is_found)


def _measure(a_ms: float, b_ms: float, blocks: int, folder: Path, console: Console) -> "Run":
    """Measure one technique in turns on two networks. Raises ``ResultsError``."""
    a, b = (
        Plan(("sse",), (Level(_USERS, _SETTINGS.rate, delay_ms),), blocks, settings=_SETTINGS)
        for delay_ms in (a_ms, b_ms)
    )
    if not compare(Turns(a, b), folder, ["python", "-m", __spec__.name], console):
        raise ResultsError("not all could be measured, so nothing is compared")
    from results.record.reading import read_run  # pandas: not while something is measured

    return read_run(folder)


def findings(run: "Run") -> list[str]:
    """Return what the comparison of a run's sides finds, in words.

    Raises ``ResultsError`` where too little was measured for any finding: that would be no check.
    """
    from results.comparison import compare_sides

    table = compare_sides(run)
    untested = table[table["finding"].str.startswith(("not compared", "too few"))]
    if not untested.empty:
        raise ResultsError(f"nothing can be found: {untested.iloc[0]['finding']}")
    found = table[table["finding"].str.startswith("B is")]
    return [
        f"{row['figure']} {row['finding']} by {row['change']:.0%} ({row['low']:.0%} to "
        f"{row['high']:.0%})"
        for _, row in found.iterrows()
    ]


def relabelled(run: "Run", seed: int) -> "Run":
    """Return the run with A and B drawn anew in each block."""
    chance = random.Random(seed)
    swapped = {block for block in sorted(set(run.latency["repeat"])) if chance.random() < 0.5}
    other = dict(zip(SIDES, reversed(SIDES), strict=True))
    latency = run.latency.copy()
    turned = latency["repeat"].isin(swapped)
    latency.loc[turned, "variant"] = latency.loc[turned, "variant"].map(other)
    return replace(run, latency=latency)


if __name__ == "__main__":
    sys.exit(main())
