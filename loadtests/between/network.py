"""A network of our own (Linux): loopback only, where every port is free, 80 and 443 too.

It is made by ``unshare`` of util-linux, by root or, where the system lets people, by anybody: the
same command begins again inside of it. What browsers and proxies treat specially are these two
ports, so without them less can be tried.
"""

import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence

INSIDE = "DUPLEX_BETWEEN_NETWORK"  # set where we are in it already
_SET_FLAGS = 0x8914  # SIOCSIFFLAGS, linux/sockios.h
_UP = 0x1 | 0x40  # IFF_UP | IFF_RUNNING, linux/if.h
_TRY_S = 10.0


def is_own() -> bool:
    """Whether this process is in a network of its own."""
    return os.environ.get(INSIDE) == "1"


def begin_again(module: str, words: Sequence[str], command: str) -> str:
    """Run ``python -m module words`` in a network of its own, in the place of this process.

    Returns only where that cannot be had, and says why. ``command`` is what people typed.
    """
    unshare = shutil.which("unshare")
    if sys.platform != "linux" or unshare is None:
        return "a network of our own takes Linux and unshare (apt install util-linux)"
    whose = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    begin = [unshare, "--net", *whose]
    try:
        done = subprocess.run(
            [*begin, "true"], capture_output=True, text=True, timeout=_TRY_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"unshare failed: {error}"
    if done.returncode:
        return f"this system makes no network of our own: {done.stderr.strip()}"
    environment = {**os.environ, INSIDE: "1", "DUPLEX_COMMAND": command}
    os.execvpe(unshare, [*begin, sys.executable, "-m", module, *words], environment)


def bring_up() -> None:
    """Let loopback work, which a new network has switched off."""
    if sys.platform == "linux":
        import fcntl

        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh22x", b"lo", _UP))
