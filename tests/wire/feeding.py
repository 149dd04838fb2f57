"""Feeds decoders in every way a network may: TCP keeps the order of bytes, and nothing else."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


class Decoder(Protocol):
    def decode(self, chunk: bytes) -> list[Any]: ...


def ways(data: bytes) -> Iterator[list[bytes]]:
    """Whole; byte by byte; cut in two at every place."""
    yield [data]
    yield [data[i : i + 1] for i in range(len(data))]
    for i in range(1, len(data)):
        yield [data[:i], data[i:]]


def decoded(decoder: Decoder, chunks: Iterable[bytes]) -> list[Any]:
    return [item for chunk in chunks for item in decoder.decode(chunk)]


def check_golden(make: Callable[[], Decoder], data: bytes, expected: list[Any]) -> None:
    """However ``data`` is cut, ``expected`` comes out, as soon as its last byte is there."""
    for chunks in ways(data):
        assert decoded(make(), chunks) == expected, chunks


def outcome(kind: type[E], call: Callable[..., T], *arguments: Any) -> T | E:
    """What ``call`` returns, or the error of ``kind`` that it raises; any other is a failure."""
    try:
        return call(*arguments)
    except kind as error:
        return error


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """``data`` in chunks of any sizes, empty ones among them."""
    places = draw(st.lists(st.integers(0, len(data)), max_size=8))
    return [data[i:j] for i, j in pairwise([0, *sorted(places), len(data)])]
