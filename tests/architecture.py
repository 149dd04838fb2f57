"""The picture of the house, drawn from the table of rooms: ``python -m tests.architecture``.

It writes ARCHITECTURE.md's picture anew; a test holds that picture and table are the same.
"""

import re
from pathlib import Path

from tests.test_structure import PACKAGES, ROOMS, TECHNIQUE, allowed_from

PAGE = Path(__file__).resolve().parent.parent / "ARCHITECTURE.md"
_BEGIN, _END = "```mermaid\n", "```\n"


def picture() -> str:
    """Draw each package as a frame, each room as a box, each arrow that others do not imply.

    ``wire`` is left out: everybody may import it.
    """
    lines = ["flowchart TD"]
    for package in PACKAGES[1:]:
        lines.append(f"  subgraph {package}")
        lines += [
            f'    {_key(room)}["{room}<br><small>{_files(files)}</small>"]'
            for room, (files, _) in reversed(ROOMS.items())
            if files.startswith(f"{package}/")
        ]
        lines.append("  end")
    for room in reversed(ROOMS):
        lines += [f"  {_key(room)} --> {_key(other)}" for other in _nearest(room)]
    return "\n".join(lines) + "\n"


def _key(room: str) -> str:
    return room.replace(" ", "_")


def _files(pattern: str) -> str:
    place = pattern.partition("/")[2].replace(TECHNIQUE, "SLUG").replace(r"\w+", "*")
    return re.sub(r"[()]", "", place).replace("|", ", ")


def _nearest(room: str) -> list[str]:
    """Return the rooms that ``room`` may import, but for those that its other rooms may, too."""
    direct = allowed_from(room) - {"wire", room}
    return [
        other
        for other in ROOMS
        if other in direct and not any(other in _below(middle) for middle in direct - {other})
    ]


def _below(room: str) -> set[str]:
    found: set[str] = set()
    for other in allowed_from(room) - {"wire", room}:
        found |= {other} | _below(other)
    return found


def with_picture(page: str) -> str:
    """Return the text of the page with the picture as it should be."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return before + _BEGIN + picture() + _END + after


if __name__ == "__main__":
    PAGE.write_text(with_picture(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
