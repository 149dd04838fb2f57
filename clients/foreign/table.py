"""One table of a TOML file, read key by key: a wrong one is told with its line."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any


class PeerFileError(ValueError):
    """A peer file says something that cannot be done; the message says where, and what can."""


class Table:
    """A table by its dotted ``name``; what is asked for is checked, what nobody asked for refused.

    ``file`` is the file's name and ``source`` its text, for the line that an error names.
    """

    def __init__(self, file: str, source: str, name: str, values: Mapping[str, Any]) -> None:
        self._file = file
        self._source = source
        self._name = name
        self._values = values
        self._known: list[str] = []

    def fault(self, key: str, what: str) -> PeerFileError:
        """Return the error of a key; without one, of the table."""
        where = ".".join(filter(None, (self._name, key)))
        line = self._line(key)
        return PeerFileError(f"{self._file}{f', line {line}' if line else ''}: {where}: {what}")

    def text(self, key: str, default: str = "") -> str:
        """Return a text."""
        value = self._take(key, default)
        if not isinstance(value, str):
            raise self.fault(key, f"a text is expected, not {_kind(value)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.fault(key, f'a list of texts is expected, such as ["a", "b"], not {value!r}')
        return tuple(value)

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """Return a list of pairs of texts."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(
            isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)
            for pair in value
        ):
            raise self.fault(key, f'pairs of texts are expected: [["await", "say"]], not {value!r}')
        return tuple((await_, say) for await_, say in value)

    def steps(self, key: str) -> tuple[str | int, ...]:
        """Return steps into JSON: names of members, and places in lists."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(type(one) in (str, int) for one in value):
            raise self.fault(
                key, f'steps are expected, such as [1, "data"] or ["*"], not {value!r}'
            )
        return tuple(value)

    def named_texts(self, key: str) -> dict[str, str]:
        """Return a table of texts."""
        value = self._take(key, {})
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise self.fault(key, f'a table of texts is expected: {{ "a" = "b" }}, not {value!r}')
        return value

    def table(self, key: str, needed: str = "") -> "Table":
        """Return a table in this one, empty where there is none; ``needed`` says what for."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise self.fault(key, f"a table is expected, not {_kind(value)}")
        if needed and not value:
            raise self.fault(key, f"this table is missing: {needed}")
        name = f"{self._name}.{key}" if self._name else key
        return Table(self._file, self._source, name, value)

    def names(self) -> list[str]:
        """Return all keys, whatever they are."""
        return list(self._values)

    def keys_among(self, known: Iterable[str]) -> list[str]:
        """Return all keys, each of which has to be a known one."""
        self._known += known
        self.end()
        return list(self._values)

    def end(self) -> None:
        """Refuse what nobody asked for."""
        for key in self._values:
            if key not in self._known:
                close = difflib.get_close_matches(key, self._known, n=1)
                guess = f" Did you mean {close[0]}?" if close else ""
                accepted = ", ".join(self._known)
                raise self.fault(key, f"there is no such key.{guess} Accepted: {accepted}")

    def _take(self, key: str, default: Any) -> Any:
        self._known.append(key)
        return self._values.get(key, default)

    def _line(self, key: str) -> int:
        """Find the line of a key in its table, or else of the table; 0 where neither stands."""
        found, here = 0, ""
        whole = f"{self._name}.{key}" if self._name and key else self._name or key
        for number, line in enumerate(self._source.splitlines(), 1):
            if header := re.match(r"\s*+\[++([^\]]++)\]", line):
                here = header[1].strip().replace('"', "")
                if here == whole:
                    return number
                found = number if here == self._name else found
            elif assigned := re.match(r"\s*+([\w.\"-]++)\s*+=", line):
                path = f"{here}.{assigned[1]}".strip(".").replace('"', "")
                if path == whole:
                    return number
                found = number if path == self._name else found
        return found


def _kind(value: object) -> str:
    return {dict: "a table", list: "a list", str: "a text", bool: "true or false"}.get(
        type(value), f"{value!r}"
    )
