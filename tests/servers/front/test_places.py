from servers.front.places import Places


def test_one_address_takes_its_share_and_all_no_more_than_there_is() -> None:
    places = Places(10, 4)
    assert [places.take("a") for _ in range(5)] == [True] * 4 + [False]
    assert [places.take("b", 2) for _ in range(3)] == [True, True, False]
    assert [places.take(f"c{number}") for number in range(3)] == [True, True, False]
    places.give("a")
    assert places.take("d")
    for address, count in [("a", 3), ("b", 4), ("c0", 1), ("c1", 1), ("d", 1)]:
        places.give(address, count)
    assert places.taken == 0
