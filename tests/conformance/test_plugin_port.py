"""The plugin socket beside the page: another port, a policy to be asked for, lines with NUL."""

import json
from xml.etree import ElementTree

from tests.conformance.doors import Desk, Wire
from tests.server_process import ServerProcess


def test_the_plugin_port_is_not_the_page_s(server: ServerProcess) -> None:
    assert server.plugin_port != server.port
    with Wire(server, "plugin_socket") as wire:
        wire.send(b"GET /polling HTTP/1.1\r\nHost: x\r\n\r\n\0")
        assert wire.rest().startswith(b'{"problem":')


def test_the_policy_request_is_answered_by_the_policy_and_the_end(server: ServerProcess) -> None:
    with Wire(server, "plugin_socket") as wire:
        wire.send(b"<policy-file-request/>\0")
        policy = wire.rest()
    assert policy.endswith(b"\0")
    root = ElementTree.fromstring(policy[:-1])
    assert root.tag == "cross-domain-policy"
    (access,) = root.findall("allow-access-from")
    assert access.get("to-ports") == str(server.plugin_port)


def test_the_policy_request_may_come_in_pieces(server: ServerProcess) -> None:
    with Wire(server, "plugin_socket") as wire:
        for byte in b"<policy-file-request/>\0":
            wire.send(bytes([byte]))
        assert b"cross-domain-policy" in wire.rest()


def test_the_first_line_names_channel_and_cursor(
    server: ServerProcess, desk: Desk, channel: str
) -> None:
    cursor = desk.publish(channel, "one")["cursor"]
    desk.publish(channel, "two")
    for name in ("cursor", "after"):
        with Wire(server, "plugin_socket") as wire:
            wire.send(json.dumps({"channel": channel, name: cursor}).encode() + b"\0")
            assert json.loads(wire.until(b"\0")[:-1]) == {"channel": channel, "cursor": cursor}
            assert json.loads(wire.until(b"\0")[:-1])["text"] == "two"


def test_an_empty_object_joins_the_lobby_from_now(server: ServerProcess, desk: Desk) -> None:
    with Wire(server, "plugin_socket") as wire:
        wire.send(b"{}\0")
        first = json.loads(wire.until(b"\0")[:-1])
        assert first == {"channel": "lobby", "cursor": desk.cursor("lobby")}


def test_subscribing_and_publishing_may_come_in_one_write(
    server: ServerProcess, channel: str
) -> None:
    with Wire(server, "plugin_socket") as wire:
        wire.send(f'{{"channel":"{channel}"}}\0{{"text":"a"}}\0{{"text":"b"}}\0'.encode())
        wire.until(b"\0")
        assert json.loads(wire.until(b"\0")[:-1])["text"] == "a"
        assert json.loads(wire.until(b"\0")[:-1])["text"] == "b"
