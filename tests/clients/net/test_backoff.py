from clients.net.backoff import FIRST_S, LONGEST_S, delay_s


def test_the_limit_doubles_and_stays_bounded() -> None:
    limits = [delay_s(attempt, 0.999999) for attempt in (0, 1, 2, 3, 50, 5000)]
    assert [round(limit, 2) for limit in limits[:4]] == [FIRST_S * 2**n for n in range(4)]
    assert max(limits) <= LONGEST_S


def test_full_jitter_above_what_the_server_asked_for() -> None:
    assert delay_s(4, 0.0) == 0.0
    assert delay_s(4, 0.0, least_s=2.0) == 2.0
    assert delay_s(0, 0.5, least_s=2.0) == 2.0 + FIRST_S / 2
