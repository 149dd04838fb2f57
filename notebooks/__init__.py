"""The course: its notebooks; their code is in ``notebooks.course``."""

import outside_venv  # noqa: F401 - it explains what is missing there
