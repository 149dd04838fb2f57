"""Captures: what our own reader finds in them, and what Wireshark's does."""

import asyncio
import io
import shutil
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import clients
from loadtests.trials.processes import Child, Server
from servers.relay.capture import Capture, replay
from servers.relay.har import archive
from servers.relay.relay import Link
from tests.servers.relay.relayed import BLOB, Backend, fails_or_ends, joined
from wire.pcapng import Packet, PcapngDecoder
from wire.tcp_packets import Flag
from wire.techniques import BY_SLUG, OWN_PORT, SLUGS

has_tshark = pytest.mark.skipif(
    not shutil.which("tshark"), reason="tshark is missing: `apt install tshark`"
)


def packets_of(file: io.BytesIO) -> list[Packet]:
    return PcapngDecoder().decode(file.getvalue())


def flags(packet: Packet) -> Flag:
    return Flag(packet.data[33])


def data(packet: Packet) -> bytes:
    return packet.data[20 + packet.data[32] // 4 :]


def ports(packet: Packet) -> tuple[int, int]:
    found: tuple[int, int] = struct.unpack_from(">HH", packet.data, 20)
    return found


async def test_it_holds_the_very_bytes_and_the_times_at_the_client(backend: Backend) -> None:
    file, before = io.BytesIO(), time.time_ns()
    capture = Capture(file)
    async with joined(backend, link=Link(delay_s=0.02), capture=capture) as peer:
        await peer.up(b"question")
        await peer.down(b"answer")
        await peer.down(BLOB)
        mine, theirs = peer.client[1].get_extra_info("sockname")[1], peer.relay.port
        peer.client[1].write_eof()
        assert await peer.server[0].read() == b""
        peer.server[1].write_eof()
        assert await peer.client[0].read() == b""
    capture.write()
    packets = packets_of(file)
    up = [one for one in packets if ports(one) == (mine, theirs)]
    down = [one for one in packets if ports(one) == (theirs, mine)]
    assert len(up) + len(down) == len(packets) == capture.packets
    assert b"".join(map(data, up)) == b"question"
    assert b"".join(map(data, down)) == b"answer" + BLOB
    assert capture.data_bytes == len(b"question" + b"answer" + BLOB)
    times = [one.time_ns for one in packets]
    assert times == sorted(times)
    assert before < times[0] < times[-1] < time.time_ns()
    # Opening is a round trip, and so is it from a question to its acknowledgement or answer.
    answer = next(one for one in down if data(one))
    assert packets[1].time_ns - packets[0].time_ns == 40_000_000
    assert answer.time_ns - next(one for one in up if data(one)).time_ns >= 40_000_000
    assert [flags(one) for one in packets[:3]] == [Flag.SYN, Flag.SYN | Flag.ACK, Flag.ACK]
    assert [bool(flags(side[-1]) & Flag.RST) for side in (up, down)] == [False, False]
    assert sum(bool(flags(one) & Flag.FIN) for one in packets) == 2


async def test_a_cut_is_an_rst_and_the_last_word(backend: Backend) -> None:
    file = io.BytesIO()
    capture = Capture(file)
    async with joined(backend, link=Link(delay_s=0.02), capture=capture) as peer:
        await peer.up(b"question")
        peer.relay.cut()
        await fails_or_ends(peer.client[0])
    capture.write()
    assert flags(packets_of(file)[-1]) == Flag.RST | Flag.ACK


async def test_a_client_that_went_without_a_word_is_seen(backend: Backend) -> None:
    file = io.BytesIO()
    capture = Capture(file)
    async with joined(backend, capture=capture) as peer:
        await peer.up(b"question")
        line = peer.client[1].transport.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.client[1].transport.abort()
        await fails_or_ends(peer.server[0])
        mine = ports(packets_of(file)[0])[0]
    capture.write()
    assert flags(packets_of(file)[-1]) == Flag.RST | Flag.ACK
    assert ports(packets_of(file)[-1])[0] == mine


async def test_a_trace_makes_the_same_packets_as_far_as_it_goes(backend: Backend) -> None:
    live, again = io.BytesIO(), io.BytesIO()
    capture = Capture(live)
    async with joined(backend, link=Link(delay_s=0.01), capture=capture) as peer:
        await peer.up(b"question")
        await peer.down(b"answer")
        server = ("127.0.0.1", peer.relay.port)
        peer.relay.cut(reset=False)
        await fails_or_ends(peer.client[0])
        events = list(peer.relay.trace)
    capture.write()
    copy = Capture(again)
    replay(copy, events, "127.0.0.1", server, 20_000_000)
    copy.write()
    texts = [[(flags(one), data(one)) for one in packets_of(file)] for file in (live, again)]
    assert texts[0] == texts[1]
    short = Capture(io.BytesIO())
    replay(short, events[2:], "127.0.0.1", server, 20_000_000)  # its beginning has left the ring
    short.write()
    assert short.data_bytes == len(b"answer")


async def test_what_a_trace_did_not_keep_is_told_by_the_length(backend: Backend) -> None:
    file = io.BytesIO()
    async with joined(backend) as peer:
        await peer.down(BLOB)
        events = list(peer.relay.trace)
    capture = Capture(file)
    replay(capture, events, "127.0.0.1", ("127.0.0.1", peer.relay.port), 0)
    capture.write()
    assert capture.data_bytes == len(BLOB)
    cut = [one for one in packets_of(file) if len(one.data) < one.length]
    assert cut
    assert all(one.length <= 1500 for one in cut)


def tshark(path: Path, *words: str) -> list[str]:
    checks = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
    return subprocess.run(
        ["tshark", "-n", "-r", str(path), *checks, *words],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout.splitlines()


@pytest.mark.slow
@has_tshark
def test_wireshark_understands_each_technique_and_counts_our_bytes(tmp_path: Path) -> None:
    path, counted = tmp_path / "all.pcapng", 0
    with Server(SLUGS) as server:
        places = [f"{server.host}:{port}" for port in (server.port, server.plugin_port)]
        to = [word for place in places for word in ("--to", place)]
        words = ["servers.relay", *to, "--delay-ms", "3", "--pcap", str(path)]
        with Child("the relay", words) as relay:
            web, plugin = relay.await_ready("relay", 2)
            for slug in SLUGS:
                more: dict[str, Any] = {"plugin_port": plugin.port} if slug in OWN_PORT else {}
                more |= {"interval": 0.1} if BY_SLUG[slug].asks else {}
                with clients.open(slug, web.url, "captured", **more) as client:
                    for size in (4, 5000):
                        client.send("x" * size)
                        assert client.receive(5), slug
                counted += client.bytes_up + client.bytes_down
    entries = archive(path.read_bytes())["log"]["entries"]
    assert {urlsplit(entry["request"]["url"]).path.strip("/") for entry in entries} >= (
        set(SLUGS) - set(OWN_PORT)
    )
    assert any("x" * 5000 in entry["response"]["content"]["text"] for entry in entries)
    wrong = "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0"
    assert tshark(path, "-Y", f"{wrong} || tcp.analysis.flags") == []
    lengths = tshark(path, "-T", "fields", "-e", "tcp.len")
    assert sum(map(int, lengths)) == counted
    asked = tshark(path, "-Y", "http.request", "-T", "fields", "-e", "http.request.uri")
    told = {one.split("?")[0].strip("/") for one in asked}
    assert told >= set(SLUGS) - set(OWN_PORT)
    said = tshark(path, "-Y", "websocket", "-T", "fields", "-e", "websocket.opcode")
    assert {"1", "8"} <= {one for line in said for one in line.split(",")}


def test_a_full_disk_ends_the_file_and_not_the_relay() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    command = [sys.executable, "-m", "servers.relay", "--to", "127.0.0.1:9", "--pcap", "/dev/full"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout
        assert started.stderr
        assert started.stdout.readline().startswith(b"relay ready")
        started.terminate()
        assert started.wait(10) == 0
        assert b"/dev/full ends here" in started.stderr.read()


async def test_a_file_that_cannot_be_made_is_told_of() -> None:
    started = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "servers.relay", "--to", "127.0.0.1:9"],
        *["--pcap", "/nowhere/at.all"],
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await started.communicate()
    assert started.returncode == 1
    assert b"cannot write its capture" in said
