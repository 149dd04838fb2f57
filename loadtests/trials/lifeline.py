"""``python -m loadtests.trials.lifeline WORDS`` runs ``python -m WORDS`` until its input ends.

Who starts it holds the other end of that pipe. Even where that one is killed, as Jupyter kills a
kernel, the pipe closes, so nothing that it started outlives it, on any system.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence

END_S = 5.0


def watch(words: Sequence[str]) -> int:
    """Run ``python -m`` these words until standard input ends; return the exit status."""
    child = subprocess.Popen([sys.executable, "-m", *words], stdin=subprocess.DEVNULL)

    def end() -> None:
        while os.read(0, 4096):  # not by sys.stdin, whose lock would be held when we exit
            pass
        child.terminate()
        try:
            child.wait(END_S)
        except subprocess.TimeoutExpired:
            child.kill()

    threading.Thread(target=end, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    sys.exit(watch(sys.argv[1:]))
