"""What our programs that use gevent are spared while they start."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata


@contextmanager
def looked_through_once() -> Iterator[None]:
    """Spare gevent, as it patches 25 things, to look for plugins in all packages before each.

    That was a third of the time in which a generator starts.
    """
    look, found = metadata.entry_points, metadata.entry_points()
    metadata.entry_points = found.select
    try:
        yield
    finally:
        metadata.entry_points = look
