"""What a foreign server costs, as the kernel tells it: of the process and all that it started."""

import contextlib
import math
import time

import psutil

from loadtests.measures.core_time import core_time
from loadtests.trials.family import connections, cpu_s, sockets, tree
from loadtests.trials.sampler import Reading, Sampler

UNKNOWN = math.nan


class PeerSampler(Sampler):
    """Reads CPU, memory and sockets of the processes under ``pid``; 0 if nobody knows them.

    What only the server itself could tell is not known of it, and nothing is of one elsewhere.
    """

    def __init__(self, pid: int, relay_pid: int | None, period_s: float) -> None:
        self._pid = pid
        self._used_s: dict[psutil.Process, float] = {}  # of those that ended, too
        self._other_sockets: int | None = None  # than connections
        super().__init__("http://127.0.0.1", "", relay_pid, period_s)

    def _read(self) -> Reading:
        family = tree(self._pid) if self._pid else []
        resident = open_sockets = 0
        if self._other_sockets is None:  # nobody is measured yet, so it may take its time
            self._other_sockets = 0
            for process in family:
                with contextlib.suppress(psutil.Error):
                    self._other_sockets += sockets(process) - connections(process)
        for process in family:
            try:
                used_s = cpu_s(process)
                resident += process.memory_info().rss
                open_sockets += sockets(process)
            except psutil.Error:
                continue  # it has ended just now
            self._used_s[process] = used_s
        return Reading(
            pid=self._pid,
            at_s=time.monotonic(),
            cpu_s=sum(self._used_s.values()) if family else UNKNOWN,
            rss_bytes=resident if family else UNKNOWN,
            open=open_sockets - self._other_sockets if family else UNKNOWN,
            held=UNKNOWN,
            requests=UNKNOWN,
            connections=UNKNOWN,
            deliveries=UNKNOWN,
            bytes_down=UNKNOWN,
            # Of several processes nobody knows for which of them a message waited.
            server=core_time(self._pid) if len(family) == 1 else None,
            relay=core_time(self._relay_pid) if self._relay_pid else None,
        )

    def silence_s(self, began_s: float, ended_s: float) -> float:
        return 0.0  # nobody was asked
