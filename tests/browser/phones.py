"""A room of phones: `python -m tests.browser.phones PAGE_URL COUNT`.

Each is a page without a browser: it hears the lecture's news, subscribes to the race by a real
client through its technique's line, and reports what it measured by the lecture's own clock. It
says ``taking part`` once all do; ``drop N`` on its input lets the first N lose their network, and
the end of its input ends it.
"""

import contextlib
import http.client
import json
import math
import sys
import threading
import time
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import clients
from clients.errors import ClientError
from wire.techniques import OWN_PORT, SLUGS

OF_AN_ADDRESS = 30
REPORT_S = 2.0
BINS = 40


class Phone:
    def __init__(self, page: str, lines: dict[str, int], number: int) -> None:
        self.page, self.lines, self.number = urlsplit(page), lines, number
        self.slug = SLUGS[number % len(SLUGS)]
        self.address = f"127.0.1.{1 + number // OF_AN_ADDRESS}"
        self.query = f"viewer=phone{number:011}"
        self.channel = ""
        self.client: Any = None
        self.latencies: list[float] = []
        self.is_gone = False
        self.events: Any = None
        threading.Thread(target=self.hear, daemon=True).start()
        threading.Thread(target=self.receive, daemon=True).start()

    def ask(self, method: str, door: str, order: Any = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(
            self.page.netloc, timeout=20, source_address=(self.address, 0)
        )
        with contextlib.closing(connection):
            body = None if order is None else json.dumps(order)
            connection.request(method, f"/lecture/{door}?{self.query}", body)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def set_clock(self) -> float:
        """Return what to add to our own clock, by the answer that came back soonest."""
        found = []
        for _ in range(3):
            before = time.monotonic()
            told: float = json.loads(self.ask("GET", "clock")[1])["monotonic_ms"]
            after = time.monotonic()
            found.append((after - before, told / 1e3 - (before + after) / 2))
        return min(found)[1]

    def hear(self) -> None:
        self.offset = self.set_clock()
        self.events = http.client.HTTPConnection(
            self.page.netloc, timeout=60, source_address=(self.address, 0)
        )
        with contextlib.suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            self.events.request("GET", f"/lecture/events?{self.query}")
            for line in self.events.getresponse():
                state = json.loads(line[6:]).get("state") if line.startswith(b"data:") else None
                if state and state["source"]["channel"] != self.channel:
                    self.channel = state["source"]["channel"]
                    if self.client is not None:
                        self.client.close()

    def receive(self) -> None:
        while not self.is_gone:
            if not self.channel:
                time.sleep(0.05)
                continue
            port = self.lines[self.slug]
            more = {"plugin_port": port} if self.slug in OWN_PORT else {}
            with contextlib.suppress(ClientError, OSError):
                url = f"http://127.0.0.1:{port}"
                self.client = clients.open(self.slug, url, self.channel, **more)
                for message in self.client:
                    arrived = self.client.arrived_ns / 1e9 + self.offset
                    self.latencies.append(max(arrived - message.sent_ns / 1e9, 0) * 1e3)
            time.sleep(0.05)

    def join(self) -> bool:
        order = {"who": f"who{self.number:013}", "technique": self.slug}
        return bool(self.channel and self.client) and self.ask("POST", "part", order)[0] == 200

    def report(self) -> None:
        heard, self.latencies = self.latencies, []
        counts: dict[str, int] = {}
        for ms in heard:
            bin_ = str(min(math.floor(10 * math.log10(max(ms, 1))), BINS - 1))
            counts[bin_] = counts.get(bin_, 0) + 1
        state = {"state": "open", "lost": 0, "counts": counts, "sum_ms": sum(heard)}
        if not self.is_gone:
            self.ask("POST", "measured", state)

    def drop(self) -> None:
        self.is_gone = True
        self.client.close()
        self.events.sock.shutdown(2)


def main() -> None:
    page, count = sys.argv[1], int(sys.argv[2])
    connection = http.client.HTTPConnection(urlsplit(page).netloc, timeout=20)
    connection.request("GET", "/")
    text = connection.getresponse().read().decode()
    lines = json.loads(unescape(text.split('data-lines="')[1].split('"')[0]))
    phones = [Phone(page, lines, number) for number in range(count)]
    for phone in phones:
        while not phone.join():
            time.sleep(0.05)
    print("taking part", flush=True)

    def report() -> None:
        while True:
            for phone in phones:
                with contextlib.suppress(OSError):
                    phone.report()
                time.sleep(REPORT_S / count)

    threading.Thread(target=report, daemon=True).start()
    for order in sys.stdin:
        for phone in phones[: int(order.removeprefix("drop "))]:
            phone.drop()


if __name__ == "__main__":
    main()
