"""The shared log: channels that several servers keep together, in streams of Valkey.

A channel is one stream, and a cursor *is* the id of a stream's entry. ``XADD key E-*`` counts 1, 2,
3 within the epoch ``E``, without holes and without a script; ``E`` is when that life of the history
was born, in milliseconds, and the entry ``E-0`` marks it. The engine itself refuses an ``XADD`` of
an older epoch, so no two lives mix; and ``NOMKSTREAM`` tells that a history is gone, so another
begins and whoever listens is told of a gap.

Each server holds the newest entries in memory, as it would without an engine, and hears of new
ones from a blocking ``XREAD``. It puts ``{"id":N,`` before what all have in common, so all send the
same bytes.

Rules of this room:

* it knows channels and their logs, the engine, and nothing of HTTP;
* what was given to a client once is never given again as something else: after each lost
  connection a server looks whether the engine still has the newest message that it delivered, and
  publishes nothing before;
* a wait for the engine has an end, and a message that was not taken is told so;
* what the address of the engine keeps secret is shown nowhere.
"""
