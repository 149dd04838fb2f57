"""A plan is readable before it runs: every combination once per repeat, in a recorded order."""

from dataclasses import replace

from loadtests.plan.plan import Beside, Level, Plan, cross

LEVELS = cross([10, 20], [5.0], [0.0, 25.0])


def test_every_combination_comes_once_in_each_repeat() -> None:
    plan = Plan(("sse", "polling"), LEVELS, repeats=3)
    cells = [trial.cell for trial in plan.trials()]
    assert len(cells) == len(set(cells)) == 2 * 4 * 3
    per_repeat = [cells[start : start + 8] for start in (0, 8, 16)]
    for number, batch in enumerate(per_repeat, 1):
        assert {cell.repeat for cell in batch} == {number}


def test_the_order_is_by_chance_and_repeated_by_its_seed() -> None:
    orders = [
        [trial.cell.key for trial in Plan(levels=LEVELS, seed=seed).trials()] for seed in (1, 1, 2)
    ]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])


def test_all_techniques_of_a_repeat_get_the_same_schedule() -> None:
    plan = Plan(levels=(Level(10, 5.0, 0.0),), repeats=2)
    seeds = {(trial.cell.repeat, trial.settings.seed) for trial in plan.trials()}
    assert len(seeds) == 2


def test_networks_are_named() -> None:
    plan = Plan(("sse",), cross([1], [1.0], [0.0, 25.0, 2.5]))
    assert {t.cell.network for t in plan.trials()} == {"loopback", "relay 25 ms", "relay 2.5 ms"}
    slow = replace(plan, kilobytes_per_s=8)
    assert {t.cell.network for t in slow.trials()} == {
        "relay 0 ms, 8 kB/s",
        "relay 25 ms, 8 kB/s",
        "relay 2.5 ms, 8 kB/s",
    }


def test_servers_beside_each_other_are_mixed_in_each_repeat() -> None:
    plans = [Plan(("sse", "polling"), LEVELS, 2, variant=one) for one in ("foreign a", "foreign b")]
    cells = [trial.cell for trial in Beside(tuple(plans)).trials()]
    assert cells == [trial.cell for trial in Beside(tuple(plans)).trials()]
    assert len(set(cells)) == 2 * 2 * 4 * 2
    assert [cell.repeat for cell in cells] == [1] * 16 + [2] * 16
    assert [cell.variant for cell in cells[:16]] != ["foreign a"] * 8 + ["foreign b"] * 8
