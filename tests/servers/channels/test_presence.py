import pytest

from servers.channels import presence as module
from servers.channels.channel import Channel, Hub
from servers.channels.log import MemoryLog
from servers.channels.presence import Presence
from tests.servers.standing_in import AtOnce
from wire.message import Message, decode_message


def everything(channel: str, size: int) -> bool:
    return True


@pytest.fixture
def hub() -> Hub:
    return Hub(AtOnce(), lambda name: MemoryLog())  # type: ignore[arg-type]


@pytest.fixture
def lobby(hub: Hub) -> Channel:
    return hub.channel("lobby")


def notices(channel: Channel) -> list[tuple[str, str, object]]:
    messages = [decode_message(json) for _, json in channel.log.read(0, 10**6)]
    return [(m.presence, m.sender, m.body) for m in messages if isinstance(m, Message)]


def test_the_first_connection_of_a_name_joins_and_the_last_leaves(hub: Hub, lobby: Channel) -> None:
    presence = Presence(hub, 37.5, everything)
    for _ in range(2):
        presence.enter(lobby, "ana", "sse")
    presence.leave(lobby, "ana", "sse")
    assert notices(lobby) == [("joined", "ana", "sse")]
    presence.leave(lobby, "ana", "sse")
    assert notices(lobby) == [("joined", "ana", "sse"), ("left", "ana", "sse")]


def test_each_technique_and_channel_counts_for_itself(hub: Hub, lobby: Channel) -> None:
    presence, other = Presence(hub, 37.5, everything), hub.channel("other")
    presence.enter(lobby, "ana", "sse")
    presence.enter(lobby, "ana", "web_socket")
    presence.enter(other, "ana", "sse")
    assert len(notices(lobby)) == 2
    assert len(notices(other)) == 1


def test_nobody_without_a_name_is_announced(hub: Hub, lobby: Channel) -> None:
    presence = Presence(hub, 37.5, everything)
    presence.enter(lobby, "", "sse")
    presence.seen(lobby, "", "polling")
    presence.leave(lobby, "", "sse")
    assert notices(lobby) == []


def test_who_asks_has_joined_and_who_is_silent_has_left(hub: Hub, lobby: Channel) -> None:
    presence = Presence(hub, 0.0, everything)  # anything is too long
    presence.seen(lobby, "ana", "polling")
    presence.seen(lobby, "ana", "polling")
    assert notices(lobby) == [("joined", "ana", "polling")]
    presence.sweep()
    assert notices(lobby)[1:] == [("left", "ana", "polling")]
    presence.sweep()
    assert len(notices(lobby)) == 2


def test_who_asked_a_moment_ago_is_still_there(hub: Hub, lobby: Channel) -> None:
    presence = Presence(hub, 37.5, everything)
    presence.seen(lobby, "ana", "polling")
    presence.sweep()
    assert notices(lobby) == [("joined", "ana", "polling")]


def test_past_the_most_names_people_come_unannounced(
    hub: Hub, lobby: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST", 2)
    presence = Presence(hub, 37.5, everything)
    for name in ("ana", "eva", "ivo"):
        presence.enter(lobby, name, "sse")
        presence.seen(lobby, name, "polling")
    presence.leave(lobby, "ivo", "sse")
    assert [sender for _, sender, _ in notices(lobby)] == ["ana", "ana", "eva", "eva"]
    presence.enter(lobby, "ana", "sse")  # one that is known still counts
    presence.leave(lobby, "ana", "sse")
    assert len(notices(lobby)) == 4


@pytest.mark.parametrize("may", [True, False])
def test_a_notice_is_published_only_where_a_message_might_be(
    hub: Hub, lobby: Channel, may: bool
) -> None:
    asked: list[tuple[str, int]] = []

    def may_say(channel: str, size: int) -> bool:
        asked.append((channel, size))
        return may

    presence = Presence(hub, 0, may_say)
    presence.enter(lobby, "a\u00f1a", "sse")
    presence.enter(lobby, "a\u00f1a", "sse")
    presence.seen(lobby, "eva", "polling")
    presence.leave(lobby, "a\u00f1a", "sse")
    presence.leave(lobby, "a\u00f1a", "sse")
    presence.sweep()
    assert asked[0] == ("lobby", 7)
    assert [said for said, _, _ in notices(lobby)] == ["joined", "joined", "left", "left"] * may


def test_who_was_not_announced_leaves_unannounced(hub: Hub, lobby: Channel) -> None:
    may = iter([False, True])
    presence = Presence(hub, 0, lambda channel, size: next(may))
    presence.enter(lobby, "ana", "sse")
    presence.leave(lobby, "ana", "sse")
    assert notices(lobby) == []
    presence.enter(lobby, "ana", "sse")
    assert notices(lobby) == [("joined", "ana", "sse")]
