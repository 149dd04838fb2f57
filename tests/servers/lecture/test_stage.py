"""What the room may do on the stage by merely asking: the same as by publishing, and no more."""

import contextlib
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from servers.app import Running, running
from servers.lecture import files
from servers.lecture.stage import CLOCK, RACE, _Stage
from servers.service import Settings
from tests.servers.asking import Link, ask
from wire.message import Message, decode_message

BROWSER = "User-Agent: Mozilla/5.0 (X11; Linux x86_64)"
FORGED = "name=source+999999999"


@contextlib.asynccontextmanager
async def serving(is_stage: bool, *origins: str) -> AsyncIterator[Running]:
    """Serve as the lecture does, or with that defence off."""
    extend = _Stage(1, "key").extend if is_stage else None
    async with running(Settings(allowed_origins=frozenset(origins)), extend=extend) as server:
        yield server


def notices(server: Running, channel: str) -> list[str]:
    entries = server.service.channel(channel).log.read(0, 10**9)
    messages = [decode_message(json) for _, json in entries]
    return [m.sender for m in messages if isinstance(m, Message) and m.presence]


@pytest.mark.attack("write into the race", "off", "on")
@pytest.mark.parametrize("channel", [RACE, CLOCK])
@pytest.mark.parametrize("slug", ["polling", "page_reload", "frame_reload", "sse", "forever_frame"])
async def test_a_name_writes_only_where_a_message_may(channel: str, slug: str) -> None:
    line = f"GET /{slug}?channel={channel}&{FORGED}"
    for is_stage in (False, True):
        async with serving(is_stage) as server, Link(server.port) as link:
            link.ask(line)
            await link.head()
            assert notices(server, channel) == ["source 999999999"] * (not is_stage)


@pytest.mark.attack("write into the race", "off", "on")
async def test_names_come_no_faster_than_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    # The stage's own clock stands still: however slow the machine is, nothing more is granted.
    monkeypatch.setattr("servers.lecture.stage.time", SimpleNamespace(monotonic=lambda: 1000.0))
    for is_stage in (False, True):
        async with serving(is_stage) as server:
            for number in range(200):
                await ask(server, f"GET /polling?channel=chat&name=n{number}")
            assert len(notices(server, "chat")) == (120 if is_stage else 200)


FOREIGN = [
    ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: document"],
    ["Sec-Fetch-Site: same-site", "Sec-Fetch-Dest: document"],
    ["Referer: http://evil.example/"],
    [BROWSER],  # over plain HTTP to a LAN, with a policy of no referrer
]


@pytest.mark.attack("announce people by an image", "off", "on")
@pytest.mark.parametrize("slug", ["polling", "page_reload", "frame_reload", "sse", "forever_frame"])
@pytest.mark.parametrize("fields", FOREIGN, ids=["link", "neighbour", "image", "silent image"])
async def test_a_foreign_page_announces_nobody(slug: str, fields: list[str]) -> None:
    for origins, told in [(["*"], ["evil"]), ([], []), (["http://good.example"], [])]:
        async with serving(False, *origins) as server, Link(server.port, "127.0.0.1") as link:
            link.ask(f"GET /{slug}?channel=chat&name=evil", *fields)
            await link.head()
            assert notices(server, "chat") == told


@pytest.mark.parametrize("slug", ["polling", "page_reload", "sse"])
@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("Sec-Fetch-Site: same-origin", 1),
        ("Referer: http://127.0.0.1:%d/", 1),
        ("Origin: http://127.0.0.1:%d", 1),
        ("Referer: http://127.0.0.1:1/", 0),
    ],
)
async def test_our_own_pages_announce_who_reads_them(slug: str, own: str, told: int) -> None:
    async with serving(True) as server, Link(server.port, f"127.0.0.1:{server.port}") as link:
        own = own.replace("%d", str(server.port))
        link.ask(f"GET /{slug}?channel=chat&name=ana", BROWSER, own)
        await link.head()
        assert notices(server, "chat") == ["ana"] * told


async def test_what_a_lane_loads_is_kept_until_it_is_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(files.FOLDER, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    async with serving(is_stage=True) as server:

        async def loaded() -> dict[str, str]:
            """How a lane's files may be kept, by their addresses."""
            lane = (await ask(server, "GET /lane?technique=polling")).body.decode()
            addresses = re.findall(r'"(/page/[^"]+)"', lane)
            answers = [await ask(server, f"GET {address}") for address in addresses]
            assert {one.status for one in answers} == {200}
            return {
                a: one.head.fields["cache-control"]
                for a, one in zip(addresses, answers, strict=True)
            }

        first = await loaded()
        assert {address.rpartition("/")[2] for address in first} == {
            *("lane.css", "lane.js", "polling.js", "requests.js")
        }
        assert all("immutable" in kept for kept in first.values())
        with (tmp_path / "polling.js").open("a") as file:
            file.write("// changed\n")
        assert not first.keys() & (await loaded()).keys()
        # Whoever still asks by the old stamp gets what there is, and keeps nothing.
        for address in first:
            answer = await ask(server, f"GET {address}")
            assert (answer.status, answer.head.fields["cache-control"]) == (200, "no-store")
        # What lies in the page's own folder is no lane's, whatever the address.
        stamp = files.stamp()
        answer = await ask(server, f"GET /page/{stamp}/main.js")
        assert answer.head.fields["cache-control"] == "no-store"
