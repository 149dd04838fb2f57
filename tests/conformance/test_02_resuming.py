"""A connection may break at any byte: whoever comes back with a cursor misses nothing.

And where something is missing, because the log has moved on, the client is told: a gap notice,
then what the log still holds.
"""

from collections.abc import Iterator

import pytest

from tests.conformance.steps import (
    FRAMED,
    RELOADS,
    REQUESTED,
    STREAMS,
    Desk,
    Starting,
    ids,
    join,
    raw_to,
    relay_to,
    take,
    take_messages,
)
from tests.support.processes import ServerAddress, ServerProcess
from tests.support.raw import get, upgrade
from wire.message import Gap
from wire.techniques import SLUGS

TEXT = "¡hola! " * 40
KEPT = 10


@pytest.fixture(scope="module")
def forgetful(starting: Starting) -> Iterator[ServerProcess]:
    """Run a server that remembers ten messages."""
    with starting("--log-messages", str(KEPT)) as server:
        yield server


@pytest.fixture
def forgetful_desk(forgetful: ServerProcess) -> Iterator[Desk]:
    """Stand at the forgetful server."""
    desk = Desk(forgetful)
    yield desk
    desk.close()


@pytest.mark.slow
@pytest.mark.usefixtures("no_backoff")
def test_cut_after_any_byte_nothing_is_lost_or_doubled(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Trains enter tunnels at any byte, so a connection is cut at every place that two messages
    have.
    """
    with (
        relay_to(server, technique) as relay,
        join(technique, server, channel, through=relay) as client,
    ):
        received, cuts = [], range(1, 2 * len(TEXT.encode()), 17)
        for cut in cuts:
            connections = client.connections
            relay.cut_after(cut)
            desk.publish_all(channel, [TEXT, TEXT])
            received += take_messages(client, 2)
            while client.connections == connections:  # cut just behind the second message
                assert client.receive(0.05) is None
        assert ids(received) == list(range(1, 2 * len(cuts) + 1))
        assert all(message.body == TEXT for message in received)


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
def test_cut_while_nothing_happens_nothing_is_lost_or_doubled(
    technique: str, server: ServerAddress, desk: Desk, channel: str, reset: bool
) -> None:
    """A router that restarts at night cuts what is idle; in the morning nothing may be missing."""
    with (
        relay_to(server, technique) as relay,
        join(technique, server, channel, through=relay) as client,
    ):
        desk.publish_all(channel, ["one", "two"])
        assert ids(take(client, 2)) == [1, 2]
        relay.cut(reset=reset)
        desk.publish_all(channel, ["three", "four"])
        assert ids(take(client, 2)) == [3, 4]
        assert client.last_gap is None


@pytest.mark.usefixtures("no_backoff")
def test_a_message_of_one_mebibyte_survives_a_cut_in_its_middle(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """The larger the message, the likelier the cut in it: it comes whole at last, and only once."""
    body = "kůň " * 2**18
    with (
        relay_to(server, technique) as relay,
        join(technique, server, channel, through=relay) as client,
    ):
        relay.cut_after(500_000)
        desk.publish_all(channel, ["before", body, "after"])
        messages = take_messages(client, 3)
        assert ids(messages) == [1, 2, 3]
        assert messages[1].body == body


def test_any_cursor_on_the_way_can_be_resumed_by_another_client(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Who changes from the phone to the laptop goes on reading where the other has stopped."""
    with join(technique, server, channel) as client:
        cursors = [client.cursor]
        desk.publish_all(channel, ["one", "two", "three", "four"])
        for _ in range(4):
            take_messages(client, 1)
            cursors.append(client.cursor)
    desk.publish(channel, "five")
    for seen, cursor in enumerate(cursors):
        with join(technique, server, channel, after=cursor) as another:
            assert ids(take(another, 5 - seen)) == list(range(seen + 1, 6))


def test_a_cursor_of_one_technique_is_good_for_all_others(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A page that falls back from WebSocket to polling behind a proxy must not lose its place."""
    with join(technique, server, channel) as client:
        desk.publish_all(channel, ["one", "two", "three"])
        take_messages(client, 2 if technique in STREAMS else 1)
        cursor, seen = client.cursor, 2 if technique in STREAMS else 1
    for slug in [slug for slug in SLUGS if slug not in server.without]:
        with join(slug, server, channel, after=cursor) as another:
            assert ids(take(another, 3 - seen)) == list(range(seen + 1, 4))


@pytest.mark.parametrize("name", ["lastEventId", "lastEventID", "Last-Event-ID"])
@pytest.mark.parametrize("slug", REQUESTED)
def test_a_polyfill_may_name_the_cursor_in_its_own_way(
    slug: str, name: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Where a client of others cannot send the header, its parameter must not go unheard."""
    now = desk.cursor(channel)
    # A client that comes back adds what it has seen to the address that it was given.
    for query in (f"{name}=0ther-1", f"after={now}&{name}=0ther-1"):
        target = f"/{slug}?channel={channel}&{query}"
        with raw_to(server) as raw:
            raw.send(upgrade(target, server.port) if slug in FRAMED else get(target))
            raw.hear(b'data-gap="true"' if slug in RELOADS else b'"gap":true')


def test_a_cursor_older_than_the_log_gets_a_gap_and_what_is_left(
    technique: str, forgetful: ServerProcess, forgetful_desk: Desk, channel: str
) -> None:
    """Who was away for a week cannot have everything, but must not believe to have everything."""
    cursor = forgetful_desk.cursor(channel)
    forgetful_desk.publish_all(channel, (f"message {n}" for n in range(1, 31)))
    with join(technique, forgetful, channel, after=cursor) as client:
        gap, *messages = take(client, 1 + KEPT)
        assert gap == Gap(cursor.replace("-0", f"-{30 - KEPT}"))
        assert ids(messages) == list(range(31 - KEPT, 31))
        forgetful_desk.publish(channel, "and on")
        assert ids(take(client, 1)) == [31]


def test_the_oldest_cursor_that_the_log_knows_gets_no_gap(
    technique: str, forgetful: ServerProcess, forgetful_desk: Desk, channel: str
) -> None:
    """A false alarm makes people reload all they have; the bound must be right to the message."""
    epoch, _, _ = forgetful_desk.cursor(channel).partition("-")
    forgetful_desk.publish_all(channel, (f"message {n}" for n in range(1, 31)))
    with join(technique, forgetful, channel, after=f"{epoch}-{30 - KEPT}") as client:
        assert ids(take_messages(client, KEPT)) == list(range(31 - KEPT, 31))


@pytest.mark.parametrize("what", ["of another epoch", "ahead of the log"])
def test_a_cursor_that_cannot_be_resumed_gets_a_gap_and_all_there_is(
    technique: str, server: ServerAddress, desk: Desk, channel: str, what: str
) -> None:
    """A cursor from before the restart names another history; to go on silently would skip or
    repeat.
    """
    epoch, _, _ = desk.cursor(channel).partition("-")
    desk.publish_all(channel, ["one", "two"])
    after = "0ther-1" if what == "of another epoch" else f"{epoch}-3"
    with join(technique, server, channel, after=after) as client:
        gap, *messages = take(client, 3)
        assert gap == Gap(f"{epoch}-0")
        assert ids(messages) == [1, 2]
        desk.publish(channel, "three")
        assert ids(take(client, 1)) == [3]


def test_a_gap_before_an_empty_log_is_told_at_once(
    technique: str, server: ServerAddress, channel: str
) -> None:
    """After a restart nobody may speak for hours; who waits should know at once that the past is
    gone.
    """
    with join(technique, server, channel, after="0ther-1") as client:
        (gap,) = take(client, 1)
        assert isinstance(gap, Gap)
        client.send("the first")
        assert ids(take(client, 1)) == [1]


@pytest.mark.usefixtures("no_backoff")
def test_a_client_away_for_too_long_is_told_of_the_gap(
    technique: str, forgetful: ServerProcess, forgetful_desk: Desk, channel: str
) -> None:
    """The line was down and the talk went on: what is lost is lost, but never without a word."""
    with (
        relay_to(forgetful, technique) as relay,
        join(technique, forgetful, channel, through=relay) as client,
    ):
        forgetful_desk.publish_all(channel, ["one", "two"])
        assert ids(take(client, 2)) == [1, 2]
        relay.set_down(True)
        forgetful_desk.publish_all(channel, (f"message {n}" for n in range(3, 31)))
        relay.set_down(False)
        gap, *messages = take(client, 1 + KEPT)
        assert isinstance(gap, Gap)
        assert ids(messages) == list(range(31 - KEPT, 31))


@pytest.mark.slow
@pytest.mark.usefixtures("no_backoff")
def test_all_survive_a_restart_of_the_server_and_are_told_of_the_gap(
    starting: Starting, channel: str
) -> None:
    """Servers are updated in the middle of the day; nobody should have to reload the page for
    that.
    """
    with starting() as first:
        clients = [join(slug, first, channel, reconnects=1000) for slug in SLUGS]
    again = ["--port", str(first.port), "--plugin-port", str(first.plugin_port)]
    with starting(*again) as second:
        desk = Desk(second)
        desk.publish(channel, "of another life")
        desk.close()
        for client in clients:
            gap, message = take(client, 2)
            assert isinstance(gap, Gap)
            assert ids([message]) == [1]
        for client in clients:
            client.send("here still")
        for client in clients:
            assert ids(take_messages(client, len(clients))) == [*range(2, len(clients) + 2)]
            client.close()
