"""A loop knows when it last looked, also when it was stopped while it did."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# In a process of its own, for gevent; the child is stopped while its loop sleeps in a look.
LOOKER = """
import os, signal, subprocess, sys, time, gevent
from loadtests.load.turns import Turns
turns = Turns()
turns.start()
gevent.sleep(0.005)
gevent.sleep(0)
assert time.monotonic_ns() - turns.before_ns < 10**9
words = f"kill -STOP {os.getpid()}; sleep 0.4; kill -CONT {os.getpid()}"
helper = subprocess.Popen(["sh", "-c", words])
began = time.monotonic_ns()
longest = 0
while time.monotonic_ns() - began < 10**9 and longest < 3 * 10**8:
    gevent.sleep(0.005)
    longest = max(longest, time.monotonic_ns() - turns.before_ns)
helper.wait()
turns.stop()
print(longest)
"""


def test_what_came_during_a_standstill_may_have_come_at_its_beginning() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOKER], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3 * 10**8
