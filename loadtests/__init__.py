"""Load on the techniques, by Locust, and what came of it.

Rules of this room:

* it drives ``clients`` and knows nothing of how a server is made: servers, relay and Locust run
  as subprocesses (``processes``), Locust's users are a few lines each (``sse`` and siblings);
* the load is open: a schedule (``schedule``, pure) says when each message is due, and a message
  that leaves late is late for its receivers too;
* everything is measured in one place (``measure``), latencies in histograms that merge exactly,
  deliveries by an audit of their ids (``audit``);
* what a run was is judged and recorded by ``results``.

``python -m loadtests`` compares the techniques, ``python -m loadtests calibrate`` checks the
instrument itself, and ``locust -f loadtests/locustfile.py SseUser`` is plain Locust.
"""

import outside_venv  # noqa: F401 - it explains what is missing there
