"""A reader that does not read harms nobody else, costs little, and learns what it has missed."""

from collections.abc import Iterator

import pytest

from tests.conformance.steps import POLLS, RELOADS, Desk, Starting, ids, join, raw_to, take_messages
from tests.support.processes import ServerAddress, ServerProcess
from tests.support.waiting import PATIENCE_S, eventually
from wire.message import Gap, Message

LOG_BYTES = 2**20
STALLED = 4
TEXT = "x" * 50_000
ROUND = 16  # messages at a time; the healthy reader takes them before the next come
ROUNDS = 8
FIRST = 32


@pytest.fixture(scope="module")
def small(starting: Starting) -> Iterator[ServerProcess]:
    """Run a server with a log of 1 MiB, so that what readers cost shows."""
    with starting("--log-bytes", str(LOG_BYTES)) as server:
        yield server


@pytest.fixture
def small_desk(small: ServerProcess) -> Iterator[Desk]:
    """Stand at the small server."""
    desk = Desk(small)
    yield desk
    desk.close()


@pytest.mark.slow
def test_stalled_readers_delay_nobody_cost_little_and_are_told_what_they_missed(
    technique: str, small: ServerProcess, small_desk: Desk, channel: str
) -> None:
    """One laptop that was closed in mid-stream must not stop the room, nor eat the server's
    memory.
    """
    with join(technique, small, channel) as healthy:
        for _ in range(FIRST // ROUND):  # fills the log
            small_desk.publish_all(channel, [TEXT] * ROUND)
            take_messages(healthy, ROUND)
        stalled = [join(technique, small, channel) for _ in range(STALLED)]
        before = most = small.resident_bytes()
        for _ in range(ROUNDS):
            small_desk.publish_all(channel, [TEXT] * ROUND)
            take_messages(healthy, ROUND)
            most = max(most, small.resident_bytes())
    # Each may hold a write buffer and what was written at once past its mark; never the 6 MB
    # that were published meanwhile.
    assert most - before < 2 * LOG_BYTES + STALLED * 400_000
    last = FIRST + ROUND * ROUNDS
    for client in stalled:
        seen, gaps = FIRST, 0
        while seen < last:
            item = client.receive(PATIENCE_S)
            if isinstance(item, Gap):
                gaps += 1
                seen = int(item.cursor.rpartition("-")[2])
            else:
                assert isinstance(item, Message), f"nothing more after {seen}"
                assert item.id == seen + 1
                seen = item.id
        assert gaps >= 1
        client.close()


@pytest.mark.slow
@pytest.mark.parametrize("slug", [*RELOADS, *POLLS])
def test_answers_that_are_not_read_do_not_pile_up(
    slug: str, small: ServerProcess, small_desk: Desk, channel: str
) -> None:
    """Who asks and asks but never reads could otherwise fill the memory with answers."""
    epoch = small_desk.cursor(channel).partition("-")[0]
    small_desk.publish_all(channel, [TEXT] * 20)
    before = small.resident_bytes()
    # Each another question, as equal ones share their answer.
    asked = f"GET /{slug}?channel={channel}&after={epoch}-%d HTTP/1.1\r\nHost: x\r\n\r\n"
    requests_sent = "".join(asked % (n % 10) for n in range(50)).encode()
    raws = [raw_to(small, buffer=4096) for _ in range(STALLED)]
    try:
        requests = small.stats()["techniques"][slug]["requests"]
        for raw in raws:
            raw.get(f"/{slug}?channel={channel}.empty")
            raw.exactly(raw.head().length or 0)
            raw.send(requests_sent)  # 50 answers of half a MB and more
        eventually(
            lambda: small.stats()["techniques"][slug]["requests"] >= requests + 2 * STALLED,
            "all connections have asked",
        )
        with join(slug, small, channel) as healthy:
            for _ in range(20):
                small_desk.publish(channel, "hola")
                take_messages(healthy, 1)
        # One answer each, and the encoded one that they share.
        assert small.resident_bytes() - before < 8 * LOG_BYTES + STALLED * 3 * LOG_BYTES
    finally:
        for raw in raws:
            raw.close()


@pytest.mark.slow
def test_a_reader_that_was_behind_is_live_again(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A reader that had a weak minute wants to be live again, not to lag for ever."""
    with join(technique, server, channel) as client:
        for begin in (1, 42):
            desk.publish_all(channel, [TEXT] * 40)  # 2 MB: past every buffer, within the log
            assert ids(take_messages(client, 40)) == list(range(begin, begin + 40))
            desk.publish(channel, "live")
            assert ids(take_messages(client, 1)) == [begin + 40]
