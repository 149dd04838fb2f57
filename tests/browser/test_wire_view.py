"""The wire view in a real browser: the very bytes that passed, rightly taken apart."""

import base64
import hashlib
import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import USUAL
from tests.browser.watching import WaitForLanes, Watched, order, until
from tests.support.processes import Lecture
from wire.pcapng import PcapngDecoder
from wire.techniques import SLUGS
from wire.web_socket_handshake import accept_key

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
PRINTED_KEY, PRINTED_ACCEPT = "x3JJHMbDL1EzLkh9GBhXDw==", "HSmMlYUkAGmm5OPpG2HaGWk="


# What the relay recorded, what is shown of it, and the pieces that it is taken apart into.
SEEN = """async ([slug, way, seq]) => {
  const { lanes } = await import('/page/view_race.js');
  const { takeApart } = await import('/page/bytes.js');
  const { data } = lanes.get(slug).track.events.find((event) => event.seq === seq);
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const pieces = takeApart(bytes, slug, way, slug === 'web_socket');
  return [data, document.getElementById('wire-dump').innerText,
    pieces.map(({ from, to }) => [from, to])];
}"""


def dumped(text: str) -> bytes:
    """Read the hex column."""
    rows = [line[6:54] for line in text.splitlines() if re.match(r"[0-9a-f]{4}  ", line)]
    return bytes.fromhex("".join(rows))


@pytest.fixture(scope="module")
def wire(browser: "Browser", lecture: Lecture) -> Iterator["Page"]:
    """The view of a lecturer whose lanes hear something: for all who look at it."""
    context = browser.new_context(**USUAL)
    watched = Watched(context, lecture, has_key=True)
    page = watched.open("wire")
    page.evaluate(
        "import('/page/room.js').then(async ({ room }) => {"
        "await room.control('link', { delay_s: 0, bytes_per_s: null, stalled: false });"
        "await room.control('source', { rate: 5, size: 40 }); })"
    )
    yield page
    watched.check()
    context.close()


def test_the_view_shows_what_the_relay_recorded(
    wire: "Page", lecture: Lecture, wait_for_lanes: WaitForLanes
) -> None:
    page = wire
    wait_for_lanes(page, lambda lane: lane["received"] > 2)
    order(lecture, "source", {"rate": 0})  # there is enough to look at
    for slug in SLUGS:
        page.select_option("#wire-technique", slug)
        page.check("#wire-follow")
        compare(page, slug)


def compare(page: Any, slug: str) -> None:
    """Choose what went up and what came down, and compare it byte by byte."""
    page.wait_for_selector("#wire-list button.down")
    page.uncheck("#wire-follow")
    for way in {"up", "down"} & set(
        page.eval_on_selector_all("#wire-list button", "all => all.map((one) => one.className)")
    ):
        seq = int(page.locator(f"#wire-list button.{way}").last.get_attribute("data-seq"))
        page.click(f'#wire-list button[data-seq="{seq}"]')
        recorded, dump, pieces = page.evaluate(SEEN, [slug, way, seq])
        assert dumped(dump) == base64.b64decode(recorded)
        # Every byte belongs to exactly one piece.
        assert pieces[0][0] == 0
        assert pieces[-1][1] == len(base64.b64decode(recorded))
        assert all(a[1] == b[0] for a, b in itertools.pairwise(pieces))


# RFC 6455, 5.7: its own examples.
FRAMES = {
    "810548656c6c6f": ["FIN 1, RSV 0, opcode 1 (text)", "MASK 0, length 5", "5 bytes: Hello"],
    "818537fa213d7f9f4d5158": [
        "opcode 1 (text)",
        "MASK 1, length 5",
        "37 fa 21 3d",
        "unmasked: Hello",
    ],
    "010348656c": ["FIN 0, RSV 0, opcode 1", "length 3", "Hel"],
    "80026c6f": ["FIN 1, RSV 0, opcode 0 (continuation)", "length 2", "lo"],
    "890548656c6c6f": ["opcode 9 (ping)", "length 5", "Hello"],
    "827e0100" + "00" * 256: ["opcode 2 (binary)", "length 126", "256 bytes", "256 bytes"],
}


def test_frames_bit_by_bit(wire: "Page") -> None:
    for data, said in FRAMES.items():
        told = wire.evaluate(
            "async (data) => { const { takeApart } = await import('/page/bytes.js');"
            "const { say } = await import('/page/i18n.js');"
            "const bytes = Uint8Array.from(data.match(/../g), (byte) => parseInt(byte, 16));"
            "return takeApart(bytes, 'web_socket', 'down', true)"
            ".map(({ words, values }) => say(words, values)); }",
            data,
        )
        assert len(told) == len(said), data
        for words, part in zip(told, said, strict=True):
            assert part in words, data


def test_the_handshake_is_computed_and_the_printed_accept_refused(wire: "Page") -> None:
    page = wire
    page.click("text=The one that passed")
    page.wait_for_selector("#hs-verdict.good")
    key = page.input_value("#hs-key")
    assert page.input_value("#hs-accept") == accept_key(key)
    page.click("#hs-printed")
    page.wait_for_selector("#hs-verdict.bad")
    assert page.input_value("#hs-key") == PRINTED_KEY
    verdict = page.inner_text("#hs-verdict")
    assert PRINTED_ACCEPT in verdict
    assert "17 bytes" in verdict
    assert accept_key(PRINTED_KEY) in verdict
    page.fill("#hs-accept", accept_key(PRINTED_KEY))
    page.wait_for_selector("#hs-verdict.good")


def test_our_own_sha1_is_right(wire: "Page") -> None:
    found = wire.evaluate(
        "async () => { const { plainSha1 } = await import('/page/sha1.js');"
        "return Array.from({ length: 130 }, (_, n) => "
        "[...plainSha1(new Uint8Array(n).fill(97))]); }"
    )
    assert [bytes(one) for one in found] == [
        hashlib.sha1(b"a" * n, usedforsecurity=False).digest() for n in range(130)
    ]


def test_a_phone_shows_whole_lines(wire: "Page") -> None:
    wire.set_viewport_size({"width": 390, "height": 844})
    wire.evaluate("location.hash = 'wire?technique=polling'")
    wire.check("#wire-follow")
    until(wire, "document.getElementById('wire-technique').value === 'polling'")
    until(
        wire,
        "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth"
        " && document.querySelectorAll('#wire-dump .offset').length > 2)"
        "(document.getElementById('wire-dump'))",
    )
    wire.set_viewport_size(USUAL["viewport"])


def test_what_passed_is_saved_for_wireshark(
    wire: "Page", wait_for_lanes: WaitForLanes, tmp_path: Path
) -> None:
    wait_for_lanes(wire, lambda lane: lane["received"] > 2)
    with wire.expect_download() as download:
        wire.click("#wire-save")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    packets = PcapngDecoder().decode(path.read_bytes())
    assert sum(one.data.find(b"GET /web_socket?") > 0 for one in packets) == 1
    assert not any(b"POST /lecture" in one.data for one in packets)
    if not shutil.which("tshark"):
        pytest.skip("tshark is missing: `apt install tshark`")
    broken = "_ws.malformed || tcp.analysis.flags"
    command = ["tshark", "-n", "-r", str(path), "-Y"]
    assert subprocess.check_output([*command, broken], stderr=subprocess.DEVNULL) == b""
    frames = [*command, "websocket.payload"]
    assert subprocess.check_output(frames, stderr=subprocess.DEVNULL).count(b"WebSocket Text") > 2
