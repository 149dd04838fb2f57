"""The stage's process: what becomes of it when the lecture ends while it begins anew."""

import asyncio
import contextlib

import psutil
import pytest

from servers.lecture.stage_process import StageProcess


@pytest.mark.slow
@pytest.mark.parametrize("moments", [0, 50])
async def test_nothing_starts_once_it_was_stopped(moments: int) -> None:
    here = psutil.Process()
    before = {*here.children()}
    stage = StageProcess(0, 0, 0)
    await stage.start()
    assert {*here.children()} > before
    restart = asyncio.create_task(stage.restart())
    for _ in range(moments):  # the old one is gone, or the new one begins
        await asyncio.sleep(0.002)
    await stage.stop()
    with contextlib.suppress(OSError):  # it may have been on its way
        await restart
    assert {*here.children()} == before
    await stage.restart()
    assert {*here.children()} == before
