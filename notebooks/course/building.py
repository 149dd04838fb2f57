"""What readers build themselves, checked: by golden bytes, cut in every way, and under load.

A program is a class of the reader's. Two of them read bytes: ``read(chunk)`` returns what became
complete. The third is a channel of a long-polling server: :mod:`notebooks.course.experiments.bench`
serves it in a process of its own, where our clients and our audit meet it.
"""

import ast
import asyncio
import json
import linecache
import random
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any

from loadtests.trials.processes import Child, ProcessError
from notebooks.course.words import say
from wire.event_stream import EventStreamDecoder, encode_event
from wire.web_socket_frames import FrameDecoder, Opcode, encode_frame

Judged = tuple[str, str]  # what is wrong, or "" and what was found
_MANY = 20_000  # events or frames of a load
_CLIENTS, _SAID = 5, 200
_PATIENCE_S = 2.0
_KEY = bytes.fromhex("37fa213d")

EVENTS: list[tuple[bytes, list[tuple[str, str]]]] = [
    (b"id: 1\ndata: hola\n\n", [("1", "hola")]),
    (b"data:a\ndata: b\n\n", [("", "a\nb")]),
    (b": only a sign of life\n\ndata: x\n\n", [("", "x")]),
    (b"id: 7\r\ndata:  two spaces\r\n\r\n", [("7", " two spaces")]),
    (b"id: 1\ndata: a\n\ndata: b\n\n", [("1", "a"), ("1", "b")]),
    (b"event: joined\nretry: 10\ndata: x\n\n", [("", "x")]),
    ("data: mañana, mâine\n\n".encode(), [("", "mañana, mâine")]),
    (b"data: a: b\n\ndata: no end", [("", "a: b")]),
]
Frame = tuple[bool, int, bytes]
# RFC 6455, 5.7, and around the lengths at which the head grows.
_PING_PONG = bytes.fromhex("890548656c6c6f8a8537fa213d7f9f4d5158")
# RFC 6455, 5.7; then the lengths around which the head grows.
FRAMES: list[tuple[bytes, list[Frame]]] = [
    (bytes.fromhex("810548656c6c6f"), [(True, 1, b"Hello")]),
    (bytes.fromhex("818537fa213d7f9f4d5158"), [(True, 1, b"Hello")]),
    (bytes.fromhex("010348656c80026c6f"), [(False, 1, b"Hel"), (True, 0, b"lo")]),
    (_PING_PONG, [(True, 9, b"Hello"), (True, 10, b"Hello")]),
    (bytes.fromhex("8100"), [(True, 1, b"")]),
    *[
        (encode_frame(Opcode.BINARY, b"\x80" * size, mask=key), [(True, 2, b"\x80" * size)])
        for size in (125, 126, 65535, 65536)
        for key in (None, _KEY)
    ],
]


def event_reader(answer: Any) -> Judged:
    """Judge a reader of event streams: ``read(chunk)`` returns pairs of id and data."""
    wrong = _golden(answer, EVENTS)
    if wrong:
        return wrong, ""
    stream = b"".join(encode_event(b"message %d" % n, str(n)) for n in range(_MANY))
    expected = [(str(n), f"message {n}") for n in range(_MANY)]
    return _load(answer, stream, expected, EventStreamDecoder().decode)


def frame_reader(answer: Any) -> Judged:
    """Judge a reader of WebSocket frames: ``read(chunk)`` returns FIN, opcode and payload."""
    wrong = _golden(answer, FRAMES)
    if wrong:
        return wrong, ""
    payloads = [b"x" * (n % 300) for n in range(_MANY)]
    stream = b"".join(encode_frame(Opcode.TEXT, one, mask=_KEY) for one in payloads)
    ours = FrameDecoder(masked=True, limit=2**20)
    return _load(answer, stream, [(True, 1, one) for one in payloads], ours.decode)


def _golden(answer: Any, cases: Iterable[tuple[bytes, list[Any]]]) -> str:
    for data, expected in cases:
        for chunks in ways(data):
            reader = _made(answer)
            got: list[Any] = []
            try:
                for chunk in chunks:
                    found = reader.read(chunk)
                    if found is ... or found is None:
                        return say("read(chunk) returned nothing: a list is wanted, often []")
                    got += found
            except Exception as error:  # the reader's own code: whatever it raises is an answer
                raised = "for {chunks} it raised {name}: {error}"
                name = type(error).__name__
                return say(raised, chunks=_short(chunks), name=name, error=error)
            if [tuple(one) for one in got] != expected:
                other = "for {chunks} it returned {got}; expected is {expected}"
                return say(other, chunks=_short(chunks), got=_short(got), expected=_short(expected))
    return ""


def ways(data: bytes) -> Iterator[list[bytes]]:
    """Yield the bytes whole, byte by byte, and cut in two at every place of their first part."""
    yield [data]
    if len(data) < 200:
        yield [data[at : at + 1] for at in range(len(data))]
    for at in range(1, min(len(data), 40)):
        yield [data[:at], data[at:]]


def _load(
    answer: Any, stream: bytes, expected: list[Any], ours: Callable[[bytes], object]
) -> Judged:
    """Feed a long stream in pieces of chance, and say how fast it was read, beside our reader."""
    chance, chunks, at = random.Random(1), [], 0
    while at < len(stream):
        size = chance.randint(1, 4096)
        chunks.append(stream[at : at + size])
        at += size
    reader, got = _made(answer), []
    began = time.perf_counter()
    for chunk in chunks:
        got += reader.read(chunk)
    took = time.perf_counter() - began
    if [tuple(one) for one in got] != expected:
        other = "of {many:,} in a long stream it read {got:,}, or other ones"
        return say(other, many=len(expected), got=len(got)), ""
    began = time.perf_counter()
    for chunk in chunks:
        ours(chunk)
    besides = time.perf_counter() - began
    told = "{many:,} in {took:.2f} s; ours takes {ours:.2f} s."
    return "", say(told, many=len(expected), took=took, ours=besides)


def channel(answer: Any) -> Judged:
    """Judge a channel: by what it says to one who asks, then behind a server with our clients."""
    for question, judge in SITUATIONS.items():
        try:
            fine = _in_a_loop(asyncio.wait_for(judge(_made(answer)), _PATIENCE_S))
        except TimeoutError:
            return say("it waited for ever when {question}", question=say(question)), ""
        except Exception as error:  # the reader's own code
            name = type(error).__name__
            raised = "when {question} it raised {name}: {error}"
            return say(raised, question=say(question), name=name, error=error), ""
        if fine is ...:
            return say("ask returned nothing: a list is wanted"), ""
        if not fine:
            return say("it is wrong when {question}", question=say(question)), ""
    try:
        return _under_load(program(answer))
    except (OSError, ProcessError) as error:
        return say("it could not be served: {error}", error=error), ""


async def _first(one: Any) -> Any:
    await one.say("a")
    found = await one.ask(0, 0.05)
    return ... if found in (..., None) else list(found) == ["a"]


async def _later(one: Any) -> bool:
    for text in "abc":
        await one.say(text)
    return list(await one.ask(1, 0.05)) == ["b", "c"] and list(await one.ask(3, 0.01)) == []


async def _waits(one: Any) -> bool:
    began = time.monotonic()
    nothing = list(await one.ask(0, 0.1))
    return nothing == [] and time.monotonic() - began > 0.05


async def _two_wait(one: Any) -> bool:
    both = [asyncio.create_task(one.ask(0, 1)) for _ in range(2)]
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await one.say("a")
    found = await asyncio.gather(*both)
    return all(list(each) == ["a"] for each in found) and time.monotonic() - began < 0.5


async def _wakes_again(one: Any) -> bool:
    for number, text in enumerate("abc"):
        waiting = asyncio.create_task(one.ask(number, 1))
        await asyncio.sleep(0.02)
        began = time.monotonic()
        await one.say(text)
        if list(await waiting) != [text] or time.monotonic() - began > 0.5:
            return False
    began = time.monotonic()
    nothing = list(await one.ask(3, 0.1))
    return nothing == [] and time.monotonic() - began > 0.05


SITUATIONS: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
    "one asks after something was said": _first,
    "one asks from a place in the middle": _later,
    "one asks before anything is said, and the time passes": _waits,
    "two wait for the same message": _two_wait,
    "one asks again and again": _wakes_again,
}


def _in_a_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a thread of its own: the kernel's has a loop that runs already."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(asyncio.run(work))
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def _under_load(source: str) -> Judged:
    with tempfile.TemporaryDirectory(prefix="duplex-") as folder:
        file = Path(folder) / "channel.py"
        file.write_text(source, encoding="utf-8")
        words = ["notebooks.course.experiments.bench", str(file)]
        with Child("your server", words, lifeline=True) as server:
            url = server.await_ready("bench")[0].url
            place = {"server_url": url, "url": url, "plugin_port": 0}
            asked = json.dumps({"where": place, "clients": _CLIENTS, "count": _SAID})
            load = ["notebooks.course.experiments", "crowd", asked]
            with Child("the load", load, lifeline=True) as job:
                if not job.wait(60) or job.status:
                    told = (job.last_words().splitlines() or [""])[-1]
                    return say("our clients gave up on it: {told}", told=told), ""
                found = json.loads(job.output().splitlines()[-1])
    if found["lost"] or found["doubled"]:
        wrong = "of {all:,} deliveries under load {lost:,} were lost, {doubled:,} came twice"
        return say(wrong, all=_CLIENTS * _SAID, **found), ""
    told = "{all:,} deliveries under load, none lost, none twice; {mean_ms:.1f} ms on average."
    return "", say(told, all=_CLIENTS * _SAID, **found)


def program(answer: Any) -> str:
    """Return the lines of a class that was written in a cell, with what its cell imports.

    Raises :class:`OSError` where they cannot be read.
    """
    methods = [one for one in vars(answer).values() if hasattr(one, "__code__")]
    cell = "".join(linecache.getlines(methods[0].__code__.co_filename)) if methods else ""
    if not cell:
        raise OSError(say("its lines cannot be read: write the class in a cell"))
    kinds = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    kept = [one for one in ast.parse(cell).body if isinstance(one, kinds)]
    return "\n\n\n".join(ast.get_source_segment(cell, one) or "" for one in kept) + "\n"


def _made(answer: Any) -> Any:
    return answer()


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:160]}…"


PROGRAMS: dict[str, Callable[[Any], Judged]] = {
    "event_reader": event_reader,
    "frame_reader": frame_reader,
    "channel": channel,
}
