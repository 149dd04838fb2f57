"""What was measured: the record of a run, its summary, its figures and its report.

This room measures nothing and opens no socket. It writes runs (``record``, ``writer``),
reads them (``reading``), judges and summarises them (``verdicts``, ``summary``), draws them
(``figures``, ``diagrams``, ``style``, ``palette``) and tells of them (``report``,
``python -m results``). It imports nothing of the other rooms but ``wire``, for the list of
techniques.

``record``, ``writer``, ``histogram``, ``verdicts`` and ``palette`` are light: they load neither
pandas nor matplotlib, so that a load generator can import them.
"""
