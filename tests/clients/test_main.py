import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from clients.__main__ import line_for, main
from clients.client import Client
from tests.support.processes import ROOT, ServerProcess
from tests.unbreakable.undefended import without
from wire.message import Gap, Message

from .conftest import Proxy, Script


def watch(*arguments: str, **env: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "clients", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )


def test_watches_from_a_cursor(
    server: ServerProcess, connect: Callable[..., Client], channel: str
) -> None:
    sender = connect("sse")
    start = sender.cursor
    sender.send("hola", sender="ana")
    sender.send(b"12345")
    options = ("--url", server.url, "--channel", channel, "--after", str(start))
    out, err = watch("polling", *options, "--interval", "0.1", "--count", "2").communicate(
        timeout=30
    )
    first, second = out.splitlines()
    assert "ana" in first
    assert "hola" in first
    assert " ms]" in first
    assert "(5 bytes)" in second
    assert "Ctrl-C" in err


def test_watches_through_a_proxy_and_whom_it_is_told_to_trust(
    script: Callable[..., Script],
) -> None:
    proxy = script([b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"])
    place = f"http://127.0.0.1:{proxy.port}"
    process = watch("sse", "--url", "https://a.example", "--proxy", place)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "user:password@host:port" in err
    assert proxy.heard[0].startswith(b"CONNECT a.example:443 ")
    direct = script([b"HTTP/1.1 418 No\r\nContent-Length: 0\r\n\r\n"])
    process = watch("sse", "--url", direct.url, http_proxy=place)  # which nobody asked for
    assert "418" in process.communicate(timeout=30)[1]
    heard = script([b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"])
    variable = f"http://127.0.0.1:{heard.port}"
    named = watch("sse", "--url", "http://a.example", "--proxy=environment", http_proxy=variable)
    assert "403" in named.communicate(timeout=30)[1]
    assert heard.heard[0].startswith(b"GET http://a.example/sse?")


@pytest.mark.attack("steer the terminal of who asks it", "off", "on")
def test_the_words_of_a_hostile_server_steer_no_terminal() -> None:
    class Hostile(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"status": 403, "detail": "no \x1b]0;owned\x07"}).encode()
            self.send_response(403)
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    def attack(*python: str) -> str:
        url = f"http://127.0.0.1:{server.server_port}"
        command = [sys.executable, *python, "-m", "clients", "sse", "--url", url]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
        assert done.returncode == 1
        return done.stderr

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert "\x1b]0;owned" in attack(*without("words"))
            shown = attack()
        finally:
            server.shutdown()
            thread.join()
    assert "no \\x1b]0;owned\\x07" in shown
    assert "\x1b" not in shown


def test_says_how_to_start_a_server(make_proxy: Callable[[int], Proxy]) -> None:
    proxy = make_proxy(1)
    proxy.close()
    process = watch("sse", "--url", f"http://127.0.0.1:{proxy.port}")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "python3 lab.py serve" in err
    assert "Traceback" not in err
    assert not out


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("carrier_pigeon",),
        ("sse", "--interval", "1"),
        ("sse", "--url", "ftp://a"),
        ("plugin_socket", "--plugin-port", "83537"),
        ("plugin_socket", "--plugin-port", "0"),
        ("polling", "--interval", "nan"),
        ("polling", "--interval", "0"),
        ("sse", "--count", "-1"),
        ("sse", "--proxy", "socks5://p:1"),
        ("sse", "--url", "https://127.0.0.1:1", "--cafile", "no/such.pem"),
    ],
)
def test_wrong_use_is_said(arguments: tuple[str, ...]) -> None:
    process = watch(*arguments)
    _, err = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "error" in err
    assert "Traceback" not in err


def test_a_mistyped_technique_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["sze"])
    assert "'sze' is no technique. Did you mean sse?" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_letter_that_the_output_cannot_write_is_escaped(
    server: ServerProcess, connect: Callable[..., Client], channel: str, encoding: str
) -> None:
    sender = connect("sse")
    start = sender.cursor
    for text in ("\N{SNOWMAN}", "b"):
        sender.send(text, sender="\N{GREEK SMALL LETTER ALPHA}")
    options = ("--url", server.url, "--channel", channel, "--after", str(start), "--count", "2")
    out, err = watch("sse", *options, PYTHONIOENCODING=encoding).communicate(timeout=30)
    first, second = out.splitlines()
    assert r"\u2603" in first
    assert r"\u03b1" in second
    assert "error" not in err


def test_a_message_cannot_steer_the_terminal() -> None:
    line = line_for(Message(1, "a\x1b[2J", 0, 1_000_000, "x\r\ny\x1b]0;t\x07"), 3_500_000)
    assert line.isprintable()
    assert line.endswith("[2.5 ms]")


def test_gaps_and_notices_have_their_own_words() -> None:
    assert "gap" in line_for(Gap("a-7"), 0)
    notice = Message(1, "bo", 0, 0, "sse", "joined")
    assert "joined by sse" in line_for(notice, 0)
