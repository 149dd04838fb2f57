"""Waiting for what must come true, in a thread's time and in a loop's."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

PATIENCE_S = 30.0  # only a failing test waits that long
T = TypeVar("T")


def eventually(check: Callable[[], T], what: str, within: float = PATIENCE_S) -> T:
    """Ask until the answer is a true one, and return it."""
    deadline = time.monotonic() + within
    while not (found := check()):
        assert time.monotonic() < deadline, f"waited {within:g} s in vain for: {what}"
        time.sleep(0.01)
    return found


async def until(true: Callable[[], object], what: str) -> None:
    """Let the loop go on until ``true()`` is."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:g} s in vain for: {what}"
        await asyncio.sleep(0.005)


async def until_told(ask: Callable[[], Awaitable[object]], what: str) -> None:
    """Ask, in a loop that goes on, until the answer is a true one."""
    deadline = time.monotonic() + PATIENCE_S
    while not await ask():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:g} s in vain for: {what}"
        await asyncio.sleep(0.02)
