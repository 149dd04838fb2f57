"""What is POSTed to ``/publish`` goes to all: Flask-SocketIO, in the way that ``MODE`` names."""

import os

if os.environ["MODE"] == "eventlet":
    import eventlet

    eventlet.monkey_patch()  # before anything else is imported

from flask import Flask, request
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app, async_mode=os.environ["MODE"])


@app.post("/publish")
def publish() -> tuple[str, int]:
    """Send a text to everybody."""
    socketio.emit("message", request.get_data(as_text=True))
    return "", 204


if __name__ == "__main__":
    # Werkzeug, which serves the threads, asks whether it is meant; eventlet's server does not.
    only_threads = {"allow_unsafe_werkzeug": True} if os.environ["MODE"] == "threading" else {}
    socketio.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), **only_threads)
