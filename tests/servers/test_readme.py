"""The contract's page is whole: it names every address, parameter, field and option there is."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from servers.app import Running, make_app
from servers.front.ledger import Row
from servers.front.query import Query
from servers.lecture.doors import Doors
from servers.lecture.front import Front
from servers.lecture.lines import Lines
from servers.lecture.source import Source
from servers.lecture.stage_process import StageProcess
from servers.relay.control import control_app
from tests.servers.asking import ask
from wire.message import Message, encode_message

FRONT = Front("127.0.0.1", 0, 0, ())

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "servers" / "README.md").read_text(encoding="utf-8")


def routes(app: object) -> set[str]:
    return {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()  # type: ignore[attr-defined]
        if route.resource is not None and route.method != "HEAD"
    }


async def test_every_address_is_named(here: Running) -> None:
    named = set(re.findall(r"`((?:GET|POST) /[\w/]*)", README))
    techniques = routes(make_app(here.service))
    assert techniques <= named
    stage = StageProcess(0, 0, 0)
    doors = Doors("key", Lines([], "127.0.0.1"), stage, Source(stage, lambda: None), FRONT, "")
    page = {route for route in routes(doors.app()) if "/lecture/" in route}
    relay = routes(control_app([]))
    assert page | relay <= named
    assert named == techniques | page | relay, "what is named is there, too"


def test_every_parameter_is_named() -> None:
    table = README.partition("## Parameters")[2].partition("**Presence.**")[0]
    assert set(re.findall(r"`(\w+)`", table)) >= {field.name for field in fields(Query)}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["servers", "servers.relay"])
def test_every_option_is_named(command: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    options = set(re.findall(r"--[a-z][a-z-]+", told)) - {"--help"}
    assert options <= set(re.findall(r"--[a-z][a-z-]+", README))


async def test_every_member_of_the_stats_is_named(here: Running) -> None:
    await ask(here, "POST /publish", "Content-Type: text/plain", body=b"hola")
    stats = (await ask(here, "GET /stats")).json
    told = README.partition("## What the server tells of itself")[2]
    members = {*stats, *stats["process"], *stats["channels"]["lobby"]}
    members |= {field.name for field in fields(Row)}
    assert {name for name in members if f'"{name}"' not in told} == set()


def test_the_message_is_written_as_it_is() -> None:
    written = re.search(r'^\{"id":17.*\}$', README, re.MULTILINE)
    assert written is not None
    assert written[0].encode() == encode_message(Message(17, "ana", 1, 2, "hola"))


def test_every_status_of_a_problem_is_named() -> None:
    table = README.partition("## Problems")[2].partition("## What the server tells")[0]
    named = set(re.findall(r"\b[45]\d\d\b", table))
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "servers").rglob("*.py")
        if path.parent.name not in ("lecture", "relay", "peers")
    )
    raised = set(re.findall(r"(?:Problem|HandshakeError)\(\s*(\d{3})", source)) - {"500"}
    assert raised <= named
