"""Waiting for what must come true, in a thread's time and in a loop's."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

PATIENCE_S = 30.0  # only a failing test waits that long
T = TypeVar("T")


def _pause_s(began: float, shortest: float) -> float:
    """Return how long to ask nothing: a little of what it took so far, as asking is no rest."""
    return min(max(shortest, (time.monotonic() - began) / 20), 0.1)


def eventually(check: Callable[[], T], what: str, within: float = PATIENCE_S) -> T:
    """Ask until the answer is a true one, and return it."""
    began = time.monotonic()
    while not (found := check()):
        assert time.monotonic() - began < within, f"waited {within:g} s in vain for: {what}"
        time.sleep(_pause_s(began, 0.01))
    return found


async def until(true: Callable[[], object], what: str) -> None:
    """Let the loop go on until ``true()`` is."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < PATIENCE_S, f"waited {PATIENCE_S:g} s in vain for: {what}"
        await asyncio.sleep(_pause_s(began, 0.005))


async def until_told(ask: Callable[[], Awaitable[object]], what: str) -> None:
    """Ask, in a loop that goes on, until the answer is a true one."""
    began = time.monotonic()
    while not await ask():
        assert time.monotonic() - began < PATIENCE_S, f"waited {PATIENCE_S:g} s in vain for: {what}"
        await asyncio.sleep(_pause_s(began, 0.02))
