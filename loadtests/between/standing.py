"""An intermediary that runs: started by us, watched, and ended with all that it started."""

import os
from collections.abc import Mapping

from loadtests.between.intermediary import Intermediary, Setup, ShelfError, fill
from loadtests.trials.generator import free_port
from loadtests.trials.stranger import Stranger

HERE = "127.0.0.1"


class Standing(Stranger):
    """One intermediary in one set-up, on free ports of loopback.

    ``places`` has what its configuration may name besides its own ``PORT``, ``PLUGIN_PORT`` and
    ``FOLDER``. Raises :class:`~loadtests.between.intermediary.ShelfError` where it is not
    installed; ``await_listening`` tells whether it came up.
    """

    def __init__(self, one: Intermediary, setup: Setup, places: Mapping[str, str]) -> None:
        self.intermediary, self.setup = one, setup
        self.name = f"{one.title} ({setup.name})"
        self.host, self.port, self.plugin_port = HERE, free_port(), free_port()
        program = one.program()
        self.scratch = self.make_scratch("duplex-between-")
        self.scratch.chmod(0o777)  # some give up root's rights, and must still be able to write
        own = {
            "PORT": str(self.port),
            "PLUGIN_PORT": str(self.plugin_port),
            "FOLDER": str(self.scratch),
        }
        told = {**places, **own}
        for file in setup.files:
            name = f"config{file.suffix}" if file == setup.file else file.name
            text = fill(file.read_text(encoding="utf-8"), told)
            (self.scratch / name).write_text(text, encoding="utf-8")
            told.setdefault("CONFIG", str(self.scratch / name))
        words = [program, *(fill(word, told) for word in (*one.start[1:], *setup.words))]
        home = {name: str(self.scratch) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        try:
            self.begin(words, self.scratch, {**os.environ, **home})
        except OSError as error:
            raise ShelfError(f"{program} cannot be started: {error.strerror}") from None
