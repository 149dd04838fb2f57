"""What was measured: the record of a run, its summary, its figures and its report.

Rule of this room: it measures nothing and opens no socket. It writes and reads runs (``record``),
summarises and compares them (``summary``, ``comparison``), draws them (``figures``) and tells of
them (``report``, ``tables``, ``python -m results``). It imports nothing of the other rooms but
``wire``, for the list of techniques.

``record.writer`` and what it needs, and ``figures.palette``, are light: they load neither pandas
nor matplotlib, so that a load generator can import them.
"""

import outside_venv  # noqa: F401 - it explains what is missing there
