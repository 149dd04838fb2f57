"""What can be wrong with a recorded run.

::

    ResultsError            the root: catch this one
    ├── FormatError         the folder is no run, or of a format that this version cannot read
    └── UnlikeRunsError     two runs that must not be compared or pooled
"""


class ResultsError(Exception):
    """Something is wrong with a recorded run; the message says what, where and what helps."""


class FormatError(ResultsError):
    """A folder that cannot be read as a run. ``found`` and ``accepted`` name the versions."""

    def __init__(self, message: str, found: object = None, accepted: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.found = found
        self.accepted = accepted


class UnlikeRunsError(ResultsError):
    """Runs that differ in what must be equal. ``differences`` names it, one line each."""

    def __init__(self, message: str, differences: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.differences = differences
