"""What every technique must do: a specification that runs, to be read from its first file on.

1. messages: what is published comes to every subscriber, once, in order and unchanged;
2. resuming: a connection may break at any byte, and whoever comes back misses nothing;
3. ways up: what is accepted comes to all;
4. http: caches, old clients, kept connections, waiting, what each technique says first;
5. handshake: how a WebSocket opens, who is let in, and what its frames weigh;
6. plugin socket: the port beside the page's;
7. closing: whoever ends a connection, nothing is left behind;
8. slow readers: they harm nobody, and are told what they missed;
9. ledger: what the server says of itself;
10. foreign clients: others' clients agree;
11. answers: what is written word by word is written for somebody;
12. refusals: what is too large or wrong is told so, and does nothing half.

Each test begins with *why*: who would suffer were it otherwise. The technique is the one axis: a
test that takes ``technique`` runs once for each of them, and what only some can do says so in
its name. Real servers, real clients, real bytes; each test has a channel of its own, so they may
run in any order.

``pytest tests/conformance --url http://127.0.0.1:8000`` asks a server that runs already, be it
ours or not; what needs options of its own, or a technique that it has not, is skipped with words.
At ``https://``, ``--cafile`` names whom to trust. By ``--server-options=--tls`` our own server is
asked by TLS.
"""
