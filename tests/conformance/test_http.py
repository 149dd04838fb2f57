"""What holds for every address: no caching, clear refusals, old clients, the ledger's doors."""

import json
import re
import time

import pytest

from servers.app import running
from servers.service import Settings
from tests.conformance.doors import (
    ASKING,
    HTTP,
    RELOADS,
    STREAMS,
    Desk,
    Wire,
    check_problem,
    ids,
    join,
    take,
    take_messages,
)
from tests.server_process import ServerProcess, eventually, relaying
from tests.servers.asking import Link
from wire.techniques import SLUGS

PLAIN = ["/stats", "/metrics", "/clock"]
ADDRESSES = [
    "/page_reload",
    "/frame_reload",
    "/frame_reload/frames",
    "/frame_reload/form",
    "/polling",
    "/long_polling",
    "/sse",
    "/forever_frame",
    "/web_socket",
    "/web_socket/echo",
    *PLAIN,
]


# Caches


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_answer_may_be_stored(address: str, server: ServerProcess) -> None:
    with Wire(server) as wire:
        wire.get(address)
        assert wire.head().fields["cache-control"] == "no-store"


@pytest.mark.parametrize("address", [*ADDRESSES, "/publish", "/", "/nothing/here?at=all"])
@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "POST"])
def test_what_is_not_accepted_is_a_problem_that_may_not_be_stored(
    method: str, address: str, desk: Desk
) -> None:
    if method == "POST" and address in ("/page_reload", "/frame_reload", "/publish"):
        pytest.skip("this is how messages go up")
    status, fields, body = desk.ask(method, address)
    if method == "HEAD" and address in PLAIN:
        assert (status, body, fields["cache-control"]) == (200, b"", "no-store")
        return
    unknown = address == "/" or address.startswith("/nothing")
    assert status == (404 if unknown else 405)
    assert fields["cache-control"] == "no-store"
    assert fields["content-type"].startswith("application/problem+json")
    if method == "HEAD":
        assert body == b""
    else:
        check_problem(status, fields, body, "/polling" if unknown else method)
    if not unknown:
        assert fields["allow"]


def test_204_and_303_may_not_be_stored_either(desk: Desk, channel: str) -> None:
    cursor = desk.cursor(channel)
    for slug in ("polling", "long_polling"):
        status, fields, _ = desk.ask("GET", f"/{slug}?channel={channel}&after={cursor}&timeout=0")
        assert (status, fields["cache-control"]) == (204, "no-store")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, fields, _ = desk.ask("POST", f"/page_reload?channel={channel}", b"text=x", form)
    assert (status, fields["cache-control"]) == (303, "no-store")


def test_what_is_no_http_is_refused_with_400(server: ServerProcess) -> None:
    with Wire(server) as wire:
        wire.send(b"hola\r\n\r\n")
        head = wire.head()
        assert head.status == 400
        body = wire.exactly(head.length or 0)
        check_problem(400, dict(head.fields), body)


# Old clients


@pytest.mark.parametrize("slug", ["sse", "forever_frame"])
def test_http_1_0_clients_get_a_stream_without_chunks(
    slug: str, server: ServerProcess, desk: Desk, channel: str
) -> None:
    with Wire(server) as wire:
        wire.get(f"/{slug}?channel={channel}", version="1.0")
        head = wire.head()
        assert "transfer-encoding" not in head.fields
        assert "content-length" not in head.fields
        assert head.fields["connection"] == "close"
        desk.publish(channel, "hola")
        said = wire.until(b'"text":"hola"}')
    assert not re.search(rb"^[0-9a-f]+\r\n", said, re.MULTILINE)


@pytest.mark.parametrize("slug", ["polling", "long_polling", *RELOADS])
def test_http_1_0_clients_get_an_answer_and_the_end(
    slug: str, server: ServerProcess, channel: str
) -> None:
    with Wire(server) as wire:
        wire.get(f"/{slug}?channel={channel}", version="1.0")
        assert wire.head().length is not None
        assert wire.rest()  # which ends


# Connections


def test_each_technique_keeps_its_connections(
    technique: str, server: ServerProcess, channel: str
) -> None:
    """One to receive; HTTP techniques need a second to send, where the first is occupied."""
    with relaying(server.port_of(technique)) as relay:
        with join(technique, server, channel, through=relay) as client:
            for n in range(5):
                client.send(f"message {n}")
                take_messages(client, 1)
            assert client.connections == (2 if technique in HTTP else 1)
        with join(technique, server, channel, through=relay) as quiet:
            assert quiet.receive(0.1) is None
            assert quiet.connections == 1


@pytest.mark.parametrize("slug", ["polling", "long_polling", *RELOADS])
def test_a_connection_is_kept_for_the_next_request_of_any_kind(slug: str, desk: Desk) -> None:
    for address in (f"/{slug}", "/clock", f"/{slug}", "/stats", f"/{slug}"):
        assert desk.ask("GET", address)[0] == 200
        sock = desk._connection.sock
        assert sock is not None
        assert desk._connection.sock is sock


@pytest.mark.parametrize("slug", ["polling", "long_polling"])
def test_pipelined_polls_are_answered_in_their_order(
    slug: str, server: ServerProcess, desk: Desk, channel: str
) -> None:
    epoch = desk.cursor(channel).partition("-")[0]
    desk.publish_all(channel, (f"message {n}" for n in range(1, 6)))
    with Wire(server) as wire:
        wire.get(f"/{slug}?channel={channel}&after={epoch}-0")
        head = wire.head()
        wire.exactly(head.length or 0)
        asked = f"GET /{slug}?channel={channel}&after={epoch}-%d HTTP/1.1\r\nHost: x\r\n\r\n"
        wire.send("".join(asked % n for n in range(5)).encode())
        for n in range(5):
            head = wire.head()
            batch = json.loads(wire.exactly(head.length or 0))
            assert [message["id"] for message in batch["messages"]] == list(range(n + 1, 6))


# Waiting


def test_all_who_wait_in_a_long_poll_get_one_identical_answer(
    server: ServerProcess, desk: Desk, channel: str
) -> None:
    cursor = desk.cursor(channel)
    wires = [Wire(server) for _ in range(50)]
    try:
        for wire in wires:
            wire.get(f"/long_polling?channel={channel}&after={cursor}")
        eventually(
            lambda: server.stats()["channels"][channel]["subscribers"] == 50, "all are waiting"
        )
        desk.publish(channel, "hola")
        answers = {wire.until(b'"gap":false}') for wire in wires}
        assert len(answers) == 1
        assert b'"text":"hola"' in answers.pop()
    finally:
        for wire in wires:
            wire.close()


def test_a_long_poll_ends_with_204_when_its_time_is_over(
    server: ServerProcess, desk: Desk, channel: str
) -> None:
    cursor = desk.cursor(channel)
    begun = time.monotonic()
    status, _, body = desk.ask("GET", f"/long_polling?channel={channel}&after={cursor}&timeout=0.2")
    assert (status, body) == (204, b"")
    assert time.monotonic() - begun >= 0.2


def test_without_a_cursor_polls_answer_at_once_with_the_cursor_of_now(
    desk: Desk, channel: str
) -> None:
    cursor = desk.publish(channel, "hola")["cursor"]
    for slug in ("polling", "long_polling"):
        answer = json.loads(desk.ask("GET", f"/{slug}?channel={channel}")[2])
        assert answer == {"messages": [], "cursor": cursor, "gap": False}


def test_naive_long_polling_loses_what_comes_between_two_requests(
    server: ServerProcess, desk: Desk, channel: str
) -> None:
    with join("long_polling", server, channel, naive=True) as naive:
        waits = lambda: server.stats()["channels"][channel]["subscribers"]  # noqa: E731
        eventually(waits, "it waits")
        desk.publish(channel, "heard")
        assert ids(take(naive, 1)) == [1]
        desk.publish(channel, "lost")
        assert naive.receive(0.1) is None
        desk.publish(channel, "heard again")
        assert ids(take(naive, 1)) == [3]


# What each technique says first


@pytest.mark.parametrize("slug", [slug for slug in STREAMS if slug in HTTP])
def test_a_stream_s_head_names_type_and_cursor(
    slug: str, server: ServerProcess, desk: Desk, channel: str
) -> None:
    with Wire(server) as wire:
        wire.get(f"/{slug}?channel={channel}")
        head = wire.head()
        kind = "text/event-stream" if slug == "sse" else "text/html"
        assert head.fields["content-type"].startswith(kind)
        assert head.fields["duplex-cursor"] == desk.cursor(channel)
        assert head.is_chunked


def test_an_event_stream_resumes_by_last_event_id_even_if_the_address_is_older(
    server: ServerProcess, desk: Desk, channel: str
) -> None:
    first, second = (desk.publish(channel, text)["cursor"] for text in ("one", "two"))
    desk.publish(channel, "three")
    with Wire(server) as wire:
        wire.get(f"/sse?channel={channel}&after={first}", f"Last-Event-ID: {second}")
        said = wire.until(b'"text":"three"}\n\n')
    assert said.count(b"data: ") == 1


def test_a_forever_frame_may_begin_with_padding(server: ServerProcess) -> None:
    with Wire(server) as wire:
        wire.get("/forever_frame?padding=2000")
        wire.head()
        size = int(wire.until(b"\r\n"), 16)
        assert size >= 2000
        assert wire.exactly(size).startswith(b"<!doctype html>")


@pytest.mark.slow
def test_held_connections_get_signs_of_life(channel: str) -> None:
    server = ServerProcess("--heartbeat", "0.2")
    try:
        for slug, line in [("sse", b":\n\n"), ("forever_frame", b"1\r\n\n\r\n")]:
            with Wire(server) as wire:
                wire.get(f"/{slug}?channel={channel}")
                wire.until(line)
                wire.until(line)
        with Wire(server, "plugin_socket") as wire:
            wire.send(b"{}\0")
            wire.until(b"\0")
            assert wire.until(b"\0") == b"\0"
    finally:
        server.stop()


# The ledger's doors


def test_stats_tell_what_is_open_and_what_has_moved(
    technique: str, server: ServerProcess, desk: Desk, channel: str
) -> None:
    before = server.stats()
    with join(technique, server, channel) as client:
        client.send("hola")
        take_messages(client, 1)
        after = server.stats()
        assert after["now_ns"] > before["now_ns"]
        assert after["process"]["cpu_s"] >= before["process"]["cpu_s"]
        assert after["process"]["rss_bytes"] > 2**20
        assert after["channels"][channel] == {
            "cursor": client.cursor,
            "messages": 1,
            "bytes": after["channels"][channel]["bytes"],
            "subscribers": 0 if technique in (*ASKING, "long_polling") else 1,
        }
        assert after["channels"][channel]["bytes"] > len("hola")
        old, new = (stats["techniques"][technique] for stats in (before, after))
        assert new["deliveries"] == old["deliveries"] + 1
        assert new["bytes_down"] > old["bytes_down"]
        assert new["bytes_up"] > old["bytes_up"]
        if technique in STREAMS:
            assert new["open"] == old["open"] + 1
            assert new["held"] == old["held"] + 1
            assert new["connections"] == old["connections"] + 1
        if technique in (*RELOADS, "plugin_socket", "web_socket"):
            assert new["publishes"] == old["publishes"] + 1


def test_metrics_are_what_stats_say(desk: Desk) -> None:
    status, fields, body = desk.ask("GET", "/metrics")
    assert status == 200
    assert fields["content-type"].startswith("text/plain; version=0.0.4")
    lines = body.decode().splitlines()
    values = {}
    for line in lines:
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            values[name] = float(value)
    stats = json.loads(desk.ask("GET", "/stats")[2])
    for slug in SLUGS:
        for counter, value in stats["techniques"][slug].items():
            total = "" if counter in ("open", "held") else "_total"
            assert values[f'duplex_{counter}{total}{{technique="{slug}"}}'] == value
    assert all(re.match(r"# TYPE \S+ (gauge|counter)$", line) for line in lines if line[0] == "#")


def test_the_clock_is_the_host_s_monotonic_clock(desk: Desk) -> None:
    before = time.monotonic_ns()
    said = json.loads(desk.ask("GET", "/clock")[2])["monotonic_ns"]
    assert before < said < time.monotonic_ns()


async def test_one_technique_can_be_served_alone(technique: str) -> None:
    async with running(Settings(techniques=(technique,))) as server:
        for slug in HTTP:
            async with Link(server.port) as link:
                link.ask(f"GET /{slug}")
                assert (await link.head()).status == (200 if slug == technique else 404)
        assert bool(server.plugin_port) == (technique == "plugin_socket")
