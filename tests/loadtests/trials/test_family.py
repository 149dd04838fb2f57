"""What a process and those it started are, and how many sockets they have."""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import psutil
import pytest

from loadtests.trials.family import connections, cpu_s, sockets, tree

# A child of a child, which says its id and waits for the end of its input.
GRANDCHILD = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {GRANDCHILD!r}])"


def test_children_of_children_belong_to_it() -> None:
    words = [sys.executable, "-c", CHILD]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
        assert [one.pid for one in tree(child.pid)] == [child.pid, grandchild]
        assert child.stdin is not None
        child.stdin.close()
    assert tree(child.pid) == []


def test_sockets_grow_as_connections_do() -> None:
    me = psutil.Process()
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        before = sockets(me), connections(me)
        for _ in range(5):
            stack.enter_context(socket.create_connection(listener.getsockname()))
            stack.enter_context(listener.accept()[0])
        stack.enter_context(open(os.devnull, encoding="ascii"))
        assert (sockets(me) - before[0], connections(me) - before[1]) == (10, 10)


def test_a_process_clock_is_that_of_all_its_threads() -> None:
    me, began_s = psutil.Process(), time.process_time()
    clock_s = cpu_s(me)
    thread = threading.Thread(target=lambda: sum(range(300_000)))
    thread.start()
    thread.join()
    used_s, told_s = time.process_time() - began_s, cpu_s(me) - clock_s
    assert 0 < told_s < used_s + 0.05


def test_a_process_that_is_gone_has_none() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        process = psutil.Process(child.pid)
    with pytest.raises(psutil.NoSuchProcess):
        sockets(process)
    with pytest.raises(psutil.NoSuchProcess):
        cpu_s(process)
