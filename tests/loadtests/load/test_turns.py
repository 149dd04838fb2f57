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


# Three readers; while one looks into what it read, something comes for a fourth, and one of those
# that stand in line is killed.
READERS = """
import socket, time, gevent
from gevent import monkey
monkey.patch_all()
from loadtests.load.turns import Turns
turns = Turns()
turns.start()
pairs = {name: socket.socketpair() for name in "abcd"}
done, sent = [], {}
def send(name):
    pairs[name][0].send(b"1")
    sent[name] = time.monotonic_ns()
def read(name):
    while True:
        pairs[name][1].recv(1)
        done.append(f"read {name}")
        turns.give_way()
        done.append(f"look {name}")
        assert turns.unread_since_ns <= sent[name], name
        if "d" not in sent:
            send("d")
            readers["b" if name == "a" else "a"].kill(block=False)
readers = {name: gevent.spawn(read, name) for name in "abcd"}
gevent.sleep(0.01)
for name in "abc":
    send(name)
while "look d" not in done:
    gevent.sleep(0.001)
send("c")
while done[-1] != "look c":
    gevent.sleep(0.001)
print(*done, sep=",")
"""


def test_all_that_is_there_is_read_before_the_next_is_looked_into() -> None:
    done = subprocess.run(
        [sys.executable, "-c", READERS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    words = done.stdout.strip().split(",")
    assert sorted(words[:3]) == ["read a", "read b", "read c"]
    assert words[3].startswith("look ")
    assert words[4] == "read d"
    assert sum(word in ("look a", "look b") for word in words) == 1, "one of them was killed"
    assert words[-2:] == ["read c", "look c"]
