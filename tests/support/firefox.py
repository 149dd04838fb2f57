"""A real Firefox without a driver: it speaks WebDriver BiDi (W3C) by a WebSocket of its own.

What Playwright drives is a Firefox of its own making; this is the one that people have.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.support.waiting import PATIENCE_S

NAMES = ("firefox-esr", "firefox")
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
MISSING = "Firefox is missing: `apt install firefox-esr`, or any Firefox on the PATH"

# It asks nobody for news, offers, updates or a way out to the world; no page moves in it; and it
# makes no page and no process that may be wanted later: a third of what it costs to start.
_QUIET = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.newtab.preload": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.page": 0,
    "browser.tabs.remote.separatePrivilegedContentProcess": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.ipc.processPrelaunch.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "toolkit.telemetry.enabled": False,
    "ui.prefersReducedMotion": 1,
}


class Firefox:
    """One window; ``home`` is a folder for its profile. Use it as a context manager."""

    def __init__(self, home: Path) -> None:
        assert PROGRAM is not None, MISSING
        lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in _QUIET.items())
        (home / "user.js").write_text("".join(lines), encoding="utf-8")
        self._loop = asyncio.new_event_loop()
        self._asked = 0
        self._http: aiohttp.ClientSession | None = None
        self._child = subprocess.Popen(
            [PROGRAM, "--headless", "--remote-debugging-port", "0", "--profile", str(home)],
            env={**os.environ, "HOME": str(home), "MOZ_CRASHREPORTER_DISABLE": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        try:
            self._loop.run_until_complete(self._meet(self._where_it_listens()))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._child.terminate()
        try:
            self._loop.run_until_complete(self._leave())
            self._child.communicate(timeout=PATIENCE_S)
        finally:
            self._child.kill()
            self._loop.close()

    def goto(self, url: str) -> None:
        """Open a page and wait until it is there."""
        self._ask("browsingContext.navigate", context=self._window, url=url, wait="complete")

    def evaluate(self, script: str) -> Any:
        """Return what a script comes to, a promise awaited; nothing is ``None``."""
        answer = self._ask(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({script})) ?? null))()",
            target={"context": self._window},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"]["value"])

    async def _meet(self, url: str) -> None:
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(f"{url}/session")
        await self._say("session.new", capabilities={})
        tree = await self._say("browsingContext.getTree")
        self._window = tree["contexts"][0]["context"]

    async def _leave(self) -> None:
        if self._http is not None:
            await self._http.close()

    def _where_it_listens(self) -> str:
        assert self._child.stderr is not None
        for line in self._child.stderr:
            if found := re.search(r"BiDi listening on (\S+)", line):
                return found[1]
        raise AssertionError("Firefox ended before it listened")

    def _ask(self, method: str, **params: object) -> Any:
        return self._loop.run_until_complete(self._say(method, **params))

    async def _say(self, method: str, **params: object) -> Any:
        self._asked += 1
        await self._socket.send_json({"id": self._asked, "method": method, "params": params})
        async with asyncio.timeout(PATIENCE_S):
            while (answer := await self._socket.receive_json()).get("id") != self._asked:
                pass  # an event
        assert answer["type"] == "success", f"{method}: {answer}"
        return answer["result"]
