"""The plugin socket beside the page: another port, a policy to be asked for, lines with NUL."""

import json
from xml.etree import ElementTree

from tests.conformance.steps import Desk, raw_to
from tests.support.processes import ServerAddress


def test_the_plugin_port_is_not_the_page_s(server: ServerAddress) -> None:
    """Flash could not speak HTTP: a firewall that lets pages through stopped it, which is the
    lesson.
    """
    assert server.plugin_port != server.port
    with raw_to(server, "plugin_socket") as raw:
        raw.send(b"GET /polling HTTP/1.1\r\nHost: x\r\n\r\n\0")
        assert raw.rest().startswith(b'{"problem":')


def test_the_policy_request_is_answered_by_the_policy_and_the_end(server: ServerAddress) -> None:
    """Flash asked before it let any page connect, and gave up where no policy came."""
    with raw_to(server, "plugin_socket") as raw:
        raw.send(b"<policy-file-request/>\0")
        policy = raw.rest()
    assert policy.endswith(b"\0")
    root = ElementTree.fromstring(policy[:-1])
    assert root.tag == "cross-domain-policy"
    (access,) = root.findall("allow-access-from")
    assert access.get("to-ports") == str(server.plugin_port)


def test_the_policy_request_may_come_in_pieces(server: ServerAddress) -> None:
    """TCP may cut the question anywhere, and a plugin on a slow line was cut first."""
    with raw_to(server, "plugin_socket") as raw:
        for byte in b"<policy-file-request/>\0":
            raw.send(bytes([byte]))
        assert b"cross-domain-policy" in raw.rest()


def test_the_first_line_names_channel_and_cursor(
    server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A plugin that comes back resumes like all others; `after` is what URLs call it."""
    cursor = desk.publish(channel, "one")["cursor"]
    desk.publish(channel, "two")
    for name in ("cursor", "after"):
        with raw_to(server, "plugin_socket") as raw:
            raw.send(json.dumps({"channel": channel, name: cursor}).encode() + b"\0")
            assert json.loads(raw.until(b"\0")[:-1]) == {"channel": channel, "cursor": cursor}
            assert json.loads(raw.until(b"\0")[:-1])["text"] == "two"


def test_an_empty_object_joins_the_lobby_from_now(server: ServerAddress, desk: Desk) -> None:
    """The shortest way in, for who tries it by hand, must be a way in."""
    with raw_to(server, "plugin_socket") as raw:
        raw.send(b"{}\0")
        first = json.loads(raw.until(b"\0")[:-1])
        assert first == {"channel": "lobby", "cursor": desk.cursor("lobby")}


def test_subscribing_and_publishing_may_come_in_one_write(
    server: ServerAddress, channel: str
) -> None:
    """A plugin need not wait a round trip to be let in before it speaks."""
    with raw_to(server, "plugin_socket") as raw:
        raw.send(f'{{"channel":"{channel}"}}\0{{"text":"a"}}\0{{"text":"b"}}\0'.encode())
        raw.until(b"\0")
        assert json.loads(raw.until(b"\0")[:-1])["text"] == "a"
        assert json.loads(raw.until(b"\0")[:-1])["text"] == "b"
