import pytest

from servers.channels.log import MemoryLog


def filled(count: int, messages: int = 10, size: int = 1000) -> MemoryLog:
    log = MemoryLog(messages, size)
    for number in range(1, count + 1):
        assert log.append(lambda number: b"%03d" % number).id == number
    return log


def test_a_new_log_is_empty() -> None:
    log = MemoryLog()
    assert (log.first, log.last, log.size) == (1, 0, 0)
    assert log.read(0, 100) == []


def test_epochs_differ_and_fit_into_a_cursor() -> None:
    epochs = {MemoryLog().epoch for _ in range(100)}
    assert len(epochs) == 100
    assert all(epoch.isalnum() and epoch == epoch.lower() for epoch in epochs)


def test_entries_come_back_with_their_ids() -> None:
    assert filled(3).read(1, 1000) == [(2, b"002"), (3, b"003")]
    assert filled(3).read(3, 1000) == []


def test_the_oldest_are_forgotten_past_the_count() -> None:
    log = filled(25)
    assert (log.first, log.last, log.size) == (16, 25, 30)
    assert log.read(0, 1000)[0] == (16, b"016")


def test_the_oldest_are_forgotten_past_the_bytes() -> None:
    log = filled(25, size=12)
    assert (log.first, log.last, log.size) == (22, 25, 12)


def test_the_newest_is_kept_even_if_it_is_larger_than_the_log() -> None:
    log = filled(5, size=12)
    assert log.append(lambda number: b"x" * 50).id == 6
    assert (log.first, log.last, log.size) == (6, 6, 50)
    assert log.append(lambda number: b"%03d" % number).id == 7
    assert (log.first, log.last, log.size) == (7, 7, 3)


@pytest.mark.parametrize(("limit", "count"), [(0, 1), (1, 1), (3, 1), (6, 2), (8, 2), (9, 3)])
def test_a_reading_is_limited_but_never_empty(limit: int, count: int) -> None:
    assert len(filled(5).read(0, limit)) == count


def test_whoever_appends_the_log_tells_of_it_when_it_can_be_read() -> None:
    log, seen = filled(5), []
    log.news = lambda: seen.append(log.read(5, 100))
    log.append(lambda number: b"new")
    assert seen == [[(6, b"new")]]
