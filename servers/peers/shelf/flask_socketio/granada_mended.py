"""Granada's program, mended; "mended" says where."""

import os
from typing import Any

import eventlet

eventlet.monkey_patch()  # mended: before anything else is imported

from flask import Flask, render_template, session
from flask_socketio import SocketIO, disconnect, emit

app = Flask(__name__)
app.config["SECRET_KEY"] = os.urandom(16)  # mended: a secret that is not printed
socketio = SocketIO(app, async_mode="eventlet")  # mended: async_mode was no name; Lock neither


def answer(text: str, **to: Any) -> None:
    """Say a text, with its number; mended: the page shows msg.count, which nobody sent."""
    session["count"] = session.get("count", -1) + 1
    emit("my_response", {"data": text, "count": session["count"]}, **to)


@app.route("/")
def index() -> str:
    """Show the page."""
    return render_template("index.html", async_mode=socketio.async_mode)


@socketio.on("connect", namespace="/test")
def test_connect() -> None:
    """Greet who comes."""
    session["usuario"] = "Sin nombre"
    answer("Conectado")


@socketio.on("my_user", namespace="/test")
def test_user(message: dict[str, str]) -> None:
    """Take a name; mended: the page sends it, and nobody took it."""
    session["usuario"] = message["data"]
    answer(f"{session['usuario']} se ha conectado", broadcast=True)


@socketio.on("my_event", namespace="/test")
def test_message(message: dict[str, str]) -> None:
    """Answer who speaks."""
    answer(message["data"])


@socketio.on("my_broadcast_event", namespace="/test")
def test_broadcast_message(message: dict[str, str]) -> None:
    """Tell everybody."""
    answer(f"{session['usuario']}: {message['data']}", broadcast=True)


@socketio.on("disconnect_request", namespace="/test")
def test_disconnect() -> None:
    """Let go who wants to; mended: the page asks for it, and nobody heard."""
    disconnect()


if __name__ == "__main__":  # mended: it started nothing
    socketio.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))
