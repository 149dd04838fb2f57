"""What goes wrong in the laboratory, told to the reader in words and without a traceback."""


class PlainError(Exception):
    """An error of which a notebook shows the message only: no code of the reader's failed."""

    def _render_traceback_(self) -> list[str]:
        # What IPython asks an exception for.
        return [f"{type(self).__name__}: {self}"]


class LabError(PlainError):
    """An experiment failed, or was not recorded; the message says what helps."""


class ReplayError(PlainError):
    """The replayed connection was told something else than in the recording."""


class LineError(PlainError):
    """The connection of a raw line is gone."""


class Stopped(KeyboardInterrupt):
    """A measurement was stopped by the reader; what it had started has been ended."""

    _render_traceback_ = PlainError._render_traceback_
