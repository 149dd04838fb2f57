"""The emulated plugin: a small TCP client that does what Flash did, for a page that cannot.

No browser runs plugins today. So this stands beside the page, opens the plugin socket through
its line, and hands each line to the page, as a plugin handed it to the page's script.
"""

import asyncio
import base64
import contextlib
import time
from typing import Any

from servers.front.bodies import load_order
from servers.lecture.lines import Lines
from servers.lecture.viewers import Viewer
from wire.cursor import Cursor, parse_cursor
from wire.errors import WireError
from wire.json_lines import JsonLinesDecoder, encode_line
from wire.message import dump_json, load_json

_PAUSE_SECONDS = 0.5  # before it connects again

LONGEST_WORD = 8  # characters; as in lane.js


class Plugin:
    """One plugin of one page: keeps its socket open, resumes by its cursor."""

    def __init__(
        self,
        number: int,
        viewer: Viewer,
        lines: Lines,
        channel: str,
        name: str,
        brief: bool,
        cursor: Cursor | None,
    ) -> None:
        self.number = number
        self.viewer = viewer
        self._lines = lines
        self._first: dict[str, Any] = {"channel": channel} | ({"name": name} if name else {})
        self._brief = brief
        self._cursor = cursor
        self._budget, self._held = lines.budget, 0
        self._writer: asyncio.StreamWriter | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """End."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def send(self, order: dict[str, Any]) -> bool:
        """Publish; false while there is no connection."""
        if self._writer is None:
            return False
        self._writer.write(encode_line(dump_json(order)))
        return True

    def _report(self, **report: Any) -> None:
        self.viewer.plugin({"plugin": self.number, **report})

    async def _run(self) -> None:
        while True:
            try:
                await self._converse()
            except (OSError, WireError, asyncio.IncompleteReadError):
                pass
            finally:
                self._budget.change(self._held, 0)
                self._held = 0
                if self._writer is not None:
                    self._writer.close()
                    self._writer = None
            self._report(state="broken")
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _converse(self) -> None:
        port = self._lines.ports["plugin_socket"]
        reader, writer = await asyncio.open_connection(self._lines.host, port)
        self._lines.own(writer.get_extra_info("sockname")[1], self.viewer)
        cursor = {"cursor": str(self._cursor)} if self._cursor else {}
        writer.write(encode_line(dump_json(self._first | cursor)))
        self._writer = writer
        decoder = JsonLinesDecoder()
        is_open = False
        while chunk := await reader.read(65536):
            lines = decoder.decode(chunk)
            if not self._budget.change(self._held, decoder.waiting):
                return self._skip()
            self._held = decoder.waiting
            for line in filter(None, lines):
                fields = load_json(line)
                if not is_open and "channel" in fields:
                    is_open = True
                    self._cursor = parse_cursor(fields["cursor"])
                    self._report(state="open", cursor=fields["cursor"])
                else:
                    self._take(fields, len(line))

    def _skip(self) -> None:
        """Go on from now: there is no room for the message that comes."""
        if self._cursor is not None:
            self.viewer.plugin_gap(self.number, str(self._cursor))
        self._cursor = None

    def _take(self, fields: dict[str, Any], size: int) -> None:
        if "problem" in fields:
            self._report(problem=fields["problem"])
        elif "gap" in fields:
            self._cursor = parse_cursor(fields["cursor"])
            self._report(gap=True, cursor=fields["cursor"])
        else:
            assert self._cursor is not None
            self._cursor = Cursor(self._cursor.epoch, fields["id"])
            at_ms = time.monotonic_ns() / 1e6
            if self._brief:
                fields, size = brief(fields), 0
            report = {"plugin": self.number, "message": fields, "at_ms": at_ms}
            if not self.viewer.plugin(report, size):
                self.viewer.plugin_gap(self.number, str(self._cursor))


def brief(fields: dict[str, Any]) -> dict[str, Any]:
    """Tell a message's size instead of its body, unless that is a word and no longer."""
    body = fields.pop("base64", None)
    text = fields.pop("text", "")
    size = len(text.encode()) if body is None else len(base64.b64decode(body))
    word = {"text": text} if body is None and len(text) <= LONGEST_WORD else {}
    return fields | {"size": size} | word


def check_order(text: bytes) -> dict[str, Any]:
    """Read what the page wants sent; raises :class:`~wire.errors.MessageError`."""
    order = load_order(text)
    return {key: order[key] for key in ("text", "base64", "sender", "sent_ns") if key in order}
