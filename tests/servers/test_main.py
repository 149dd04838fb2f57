"""The command line; what it serves is tested by tests/conformance."""

import signal
import socket
import subprocess
import sys

import pytest

from servers.__main__ import loop_factory, main, parse_arguments, settings_of
from servers.service import Settings
from tests.server_process import PATIENCE_S, ServerProcess
from wire.techniques import SLUGS


def test_without_arguments_the_defaults_hold() -> None:
    options = parse_arguments([])
    assert (options.host, options.port, options.plugin_port) == ("127.0.0.1", 8000, None)
    settings, default = settings_of(options), Settings()
    assert settings.techniques == SLUGS
    for name in (
        "heartbeat",
        "most_message",
        "log_messages",
        "log_bytes",
        "send_buffer",
        "deflate",
    ):
        assert getattr(settings, name) == getattr(default, name)


def test_every_argument_reaches_the_settings() -> None:
    settings = settings_of(
        parse_arguments(
            ["--techniques", "web_socket", "sse", "--heartbeat", "3", "--allow-origin", "http://a",
             "--allow-origin", "*", "--log-messages", "5", "--log-bytes", "6", "--max-message", "7",
             "--send-buffer", "8", "--deflate"]
        )
    )  # fmt: skip
    assert settings.techniques == ("sse", "web_socket")  # in the order of the registry
    assert settings.heartbeat == 3
    assert settings.allowed_origins == {"http://a", "*"}
    assert (settings.log_messages, settings.log_bytes) == (5, 6)
    assert (settings.most_message, settings.send_buffer, settings.deflate) == (7, 8, True)


def test_an_unknown_technique_is_told_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--techniques", "telepathy"])
    assert "long_polling" in capsys.readouterr().err


def test_a_taken_port_is_told_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--plugin-port", "0"]) == 1
    said = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in said
    assert "--port" in said


def test_uvloop_is_taken_where_it_is_and_asyncio_needs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert loop_factory("asyncio") is None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert loop_factory("auto") is None
    with pytest.raises(SystemExit, match="--loop asyncio"):
        loop_factory("uvloop")


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_it_says_when_it_is_ready_and_ends_at_a_signal(loop: str) -> None:
    server = ServerProcess("--loop", loop)
    stats = server.stats()
    assert (stats["process"]["loop"] == "asyncio") or loop == "auto"
    server.child.send_signal(signal.SIGINT)
    assert server.child.wait(PATIENCE_S) == 0
    server.stop()


def test_help_names_every_technique() -> None:
    command = [sys.executable, "-m", "servers", "--help"]
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=PATIENCE_S
    ).stdout
    for slug in SLUGS:
        assert slug in said
