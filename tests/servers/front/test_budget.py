import random

from servers.front.budget import FREE, Budget


def test_what_is_small_is_free() -> None:
    budget = Budget(0)
    assert all(budget.change(0, FREE) for _ in range(1000))
    assert budget.used == 0


def test_large_things_share_what_there_is() -> None:
    budget = Budget(10 * FREE)
    assert budget.change(0, 6 * FREE)
    assert not budget.change(0, 5 * FREE)
    assert budget.change(0, 4 * FREE)
    assert not budget.change(4 * FREE, 5 * FREE)  # what it has, it keeps
    assert budget.used == 10 * FREE
    assert budget.change(6 * FREE, 2 * FREE)
    assert budget.change(4 * FREE, 8 * FREE)


def test_nothing_is_left_of_what_was_given_back() -> None:
    budget, held = Budget(100 * FREE), [0] * 20
    for _ in range(2000):
        one, wanted = random.randrange(20), random.choice([0, 10, FREE, FREE + 1, 30 * FREE])
        if budget.change(held[one], wanted):
            held[one] = wanted
        assert budget.used == sum(size for size in held if size > FREE) <= budget.most
    for size in held:
        assert budget.change(size, 0)
    assert budget.used == 0
