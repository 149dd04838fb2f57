"""The two documents' programs, as printed and mended, for real."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loadtests.trials.environments import prepare
from loadtests.trials.peers import Peer, find_peer
from loadtests.trials.processes import ProcessError
from notebooks.course.experiments import programs
from notebooks.course.experiments.place import Place

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


@contextmanager
def running(server: str, program: str) -> Iterator[Place]:
    peer = find_peer(server).program(program)
    try:
        prepare(peer)
    except ProcessError as error:  # what the system lacks, or no network to make it by
        pytest.skip(str(error))
    with Peer(peer) as started:
        yield Place(started.url, started.url, 0)


@pytest.mark.parametrize(
    ("program", "copies", "foreign"), [("olaru_printed", 3, 101), ("olaru_mended", 1, 403)]
)
def test_what_olaru_s_program_does(program: str, copies: int, foreign: int) -> None:
    with running("node_websocket", program) as place:
        assert programs.someone_left(place, messages=3) == copies
    with running("node_websocket", program) as place:
        assert programs.origin(place, "https://evil.example") == foreign
        assert programs.origin(place, place.url) == 101
        assert programs.in_turn(place, subscribers=5)["overtaken"] == 0


def test_what_granada_s_program_does() -> None:
    with running("flask_socketio", "granada_mended") as place:
        shown = programs.chat(place)
        assert shown["Ion"] == [
            "Recibido #0: Conectado",
            "Recibido #1: Ana se ha conectado",
            "Recibido #1: Ion se ha conectado",
            "Recibido #2: Ion: Bună!",
        ]
        assert "Recibido #2: ¿Hola?" in shown["Ana"]
        assert programs.answers_to(place, ["my-event", "my_event"]) == {
            "my-event": 0,
            "my_event": 1,
        }
        ways = programs.transports(place)
        assert [way["it is"] for way in ways] == ["polling", "websocket"]
        assert {way["the page says"] for way in ways} == {"eventlet"}
        assert programs.plain_web_socket(place)["any path"] == "refused with 400"


@pytest.mark.parametrize(
    ("server", "program", "why"),
    [
        ("flask_socketio", "granada_printed", "NameError: name 'async_mode' is not defined"),
        ("node_websocket", "olaru_file", "SyntaxError"),
    ],
)
def test_what_does_not_start_as_printed(server: str, program: str, why: str) -> None:
    with pytest.raises(ProcessError, match=why), running(server, program):
        pass
