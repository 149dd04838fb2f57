"""The command line; what it serves is tested by tests/conformance."""

import signal
import socket
import subprocess
import sys

import pytest

from servers.__main__ import loop_factory, main
from servers.command_line import parse_arguments, settings_of
from servers.service import Settings
from tests.support.processes import AfreshServer
from tests.support.waiting import PATIENCE_S
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
    line = (
        "--techniques web_socket sse --heartbeat 3 --allow-origin http://a,http://b:80/ "
        "--allow-origin * --allow-host lab_pc "
        "--log-messages 5 --log-bytes 6 --max-message 7 --send-buffer 8 --deflate"
    )
    settings = settings_of(parse_arguments(line.split()))
    assert settings.techniques == ("sse", "web_socket")  # in the order of the registry
    assert settings.heartbeat == 3
    assert settings.allowed_origins == {"http://a", "http://b", "*"}
    assert settings.allowed_hosts == {"lab_pc", "127.0.0.1"}
    assert (settings.log_messages, settings.log_bytes) == (5, 6)
    assert (settings.most_message, settings.send_buffer, settings.deflate) == (7, 8, True)


def test_the_lecture_refuses_by_name_what_it_would_not_heed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [
        "--techniques",
        "sse",
        "--heartbeat",
        "25",
        "--deflate",
        "--max-message",
        "10",
        "--loop",
        "auto",
    ]
    with pytest.raises(SystemExit):
        parse_arguments(["--lecture", *words])
    said = capsys.readouterr().err
    assert (
        "--techniques, --heartbeat, --max-message, --deflate, --loop: not for the lecture" in said
    )
    options = parse_arguments(["--lecture", "--port", "0", "--allow-host", "lab_pc", "--no-open"])
    assert options.allow_host == ["lab_pc"]


def test_a_mistyped_technique_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--techniques", "websocket"])
    assert "Did you mean web_socket?" in capsys.readouterr().err


def test_an_unknown_technique_is_told_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--techniques", "telepathy"])
    assert "long_polling" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["lab_pc:80", "http://lab_pc", "a b", ""])
def test_a_name_that_no_browser_can_ask_by_is_refused_at_the_start(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments([f"--allow-host={text}"])
    assert "no name of a host" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["a.example", "http://a,https://*.example", "https://a/app"])
def test_an_origin_that_can_never_match_is_refused_at_the_start(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments([f"--allow-origin={text}"])
    assert "SCHEME://HOST[:PORT]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "values", "accepted"),
    [
        ("--heartbeat", ["nan", "inf", "-1", "0", "1e6", "x"], "0.1 to 32767"),
        ("--log-messages", ["0", "-4", "1.5"], "1 to 2147483647"),
        ("--log-bytes", ["-1"], "1 to 2147483647"),
        ("--max-message", ["0", "-5"], "1 to 2147483647"),
        ("--send-buffer", ["0", "99999999999"], "1 to 2147483647"),
        ("--port", ["-1", "65536", "http"], "0 to 65535"),
        ("--plugin-port", ["-1", "70000"], "0 to 65535"),
    ],
)
def test_a_number_that_cannot_be_is_told_what_can(
    option: str, values: list[str], accepted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in values:
        with pytest.raises(SystemExit):
            parse_arguments([f"{option}={value}"])
        said = capsys.readouterr().err
        assert f"argument {option}: {value!r}" in said
        assert accepted in said


@pytest.mark.parametrize("lecture", [[], ["--lecture", "--no-open"]], ids=["servers", "lecture"])
def test_no_port_beside_the_last_one_is_told_what_can_be(
    lecture: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port=65535", *lecture]) == 1
    said = capfd.readouterr().err
    assert "a port is from 0 to 65535" in said
    assert "Traceback" not in said


def test_the_port_that_is_taken_is_the_one_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", "0", "--plugin-port", str(port)]) == 1
    assert f"127.0.0.1:{port}: " in capsys.readouterr().err


def test_a_taken_port_is_told_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--plugin-port", "0"]) == 1
    said = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in said
    assert "--port" in said


@pytest.mark.parametrize("loop", ["asyncio", "auto"])
def test_whoever_ran_it_gets_ctrl_c_back(loop: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--plugin-port", "0", "--loop", loop]) == 1
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


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
    server = AfreshServer("--loop", loop)
    stats = server.stats()
    assert (stats["process"]["loop"] == "asyncio") or loop == "auto"
    server.child.send_signal(signal.SIGINT)
    assert server.child.wait(PATIENCE_S) == 0
    server.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such shell")
def test_without_a_standard_stream_it_ends_as_well() -> None:
    server = [sys.executable, "-m", "servers", "--port", "0", "--plugin-port", "0"]
    command = ["sh", "-c", 'exec "$0" "$@" <&-', *server]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith(b"servers ready")
        child.terminate()
        assert child.communicate(timeout=PATIENCE_S) == (b"", b"")
    assert child.returncode == 0


def test_help_names_every_technique() -> None:
    command = [sys.executable, "-m", "servers", "--help"]
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=PATIENCE_S
    ).stdout
    for slug in SLUGS:
        assert slug in said
