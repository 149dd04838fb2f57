"""A server that breaks, because it was made weak on purpose: it computes for each request.

Nothing of ours serves here. One loop takes requests from one connection, one after the other, and
spends the same time on each, as a server does that looks something up or writes a page; then it
answers. So one knows beforehand what it can do, and it is small enough to be driven beyond that.
"""

import multiprocessing
import socket
import struct
import threading
import time
from typing import Any

from notebooks.course.experiments.feed import due_times
from notebooks.course.experiments.place import Place, Teller, sleep_to
from notebooks.course.experiments.sockets import connected_pairs

_SPENT = struct.Struct("=dd")  # the server's last words: s of processor time, s at work


def weak_server(
    place: Place, load: float, work_ms: float = 2.0, seconds: float = 3.0, seed: int = 1
) -> dict[str, Any]:
    """Ask the server at random moments, for ``load`` times the requests that it can answer.

    Returns ``latency_ms`` of each request from when it was due, ``at_s`` when that was,
    ``service_ms``, what one request really took of the server's time, ``load``, the load that came
    of it, ``server_cpu`` and ``generator_cpu`` in cores, and ``generator_lag_ms``, by how much the
    latest request left too late.
    """
    rate = load / (work_ms / 1000)
    due = due_times(rate, round(rate * seconds), "poisson", seed)
    ((theirs, ours),) = connected_pairs(1)
    ours.settimeout(None)
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = multiprocessing.Process(target=_serve, args=(theirs, work_ms / 1000), daemon=True)
    server.start()
    theirs.close()
    ours.sendall(b"?")  # so that it has begun
    ours.recv(1)
    start, spent = time.monotonic() + 0.05, time.process_time()

    lags = [0.0]

    def ask() -> None:
        for moment in due:
            sleep_to(start + moment)
            lags.append(time.monotonic() - start - moment)
            ours.sendall(b"?")
        ours.shutdown(socket.SHUT_WR)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    latency_ms: list[float] = []
    with Teller({"latency": latency_ms}):
        for moment in due:
            ours.recv(1)
            latency_ms.append(round((time.monotonic() - start - moment) * 1000, 3))
    took, spent = time.monotonic() - start, time.process_time() - spent
    cpu, at_work = _SPENT.unpack(ours.recv(_SPENT.size, socket.MSG_WAITALL))
    asking.join()
    server.join()
    ours.close()
    service = at_work / len(due)
    return {
        "latency_ms": latency_ms,
        "at_s": [round(moment, 4) for moment in due],
        "service_ms": round(service * 1000, 3),
        "load": round(len(due) / due[-1] * service, 3),
        "server_cpu": round(cpu / took, 3),
        "generator_cpu": round(spent / took, 3),
        "generator_lag_ms": round(max(lags) * 1000, 3),
    }


def _serve(line: socket.socket, work_s: float) -> None:
    """Answer each byte after ``work_s`` s of work; at the end say what that took."""
    line.recv(1)
    line.sendall(b"!")
    before, at_work = time.process_time(), 0.0
    while line.recv(1):
        began = time.monotonic()
        while time.monotonic() - began < work_s:
            pass
        line.sendall(b"!")
        at_work += time.monotonic() - began
    line.sendall(_SPENT.pack(time.process_time() - before, at_work))
