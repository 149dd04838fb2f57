"""A chat in few lines, with nothing but Python: what is POSTed goes to every event stream."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase

streams: set[BufferedIOBase] = set()
turn = threading.Lock()


class Chat(BaseHTTPRequestHandler):
    """Each request has a thread of its own."""

    def do_POST(self) -> None:
        """Hand a text to everybody."""
        text = self.rfile.read(int(self.headers["Content-Length"]))
        with turn:
            for stream in list(streams):
                try:
                    stream.write(b"data: " + text + b"\n\n")
                except OSError:
                    streams.discard(stream)
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        """Hold an event stream."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        streams.add(self.wfile)
        threading.Event().wait()

    def log_message(self, *_: object) -> None:
        """Be silent."""


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Chat).serve_forever()
