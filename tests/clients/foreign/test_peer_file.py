"""What is wrong in a peer file is told with its line, and with what is accepted."""

import re
from pathlib import Path

import pytest

from clients.foreign.peer_file import Place, read_peer_file
from clients.foreign.table import PeerFileError

WHOLE = """\
title = "Chat"
start = ["python3", "chat.py"]

[publish]
path = "/say"

[subscribe.web_socket]
path = "/chat"
after = "42"
at = [1, "data"]

[subscribe.long_polling]
path = "/poll"
again = "/poll?after={cursor}"
headers = { If-None-Match = "{tag}" }
remember.cursor.at = ["cursor"]
remember.tag.header = "ETag"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "chat.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    peer = read_peer_file(write(tmp_path, WHOLE))
    assert (peer.title, peer.start, peer.folder) == ("Chat", ("python3", "chat.py"), tmp_path)
    assert peer.subscribe["web_socket"].place == Place("42", (1, "data"))
    assert peer.subscribe["long_polling"].remember["tag"] == Place(header="ETag")
    assert peer.publish.body == "{text}"


def test_each_client_has_a_word_of_its_own(tmp_path: Path) -> None:
    text = WHOLE.replace("/poll", "/{session}/poll")
    how = read_peer_file(write(tmp_path, text)).subscribe["long_polling"].of_one("ada")
    assert (how.path, how.again) == ("/ada/poll", "/ada/poll?after={cursor}")


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        (1, "titel = 'Chat'", "line 1: titel: there is no such key. Did you mean title?"),
        (1, "title = 3", "line 1: title: a text is expected, not 3"),
        (1, "title = ", "this is no TOML: .*line 1"),
        (2, "", "start: a server needs start, a list of words, or else url"),
        (2, "start = 'python3'", "line 2: start: a list of texts is expected"),
        (2, "url = 'ftp://here'", "line 2: url: 'ftp://here' is no server's address"),
        (4, "[publsh]", "publish: this table is missing: how a message goes up"),
        (5, "path = 'say'", "line 5: publish.path: 'say' is no path, which begins with /"),
        (5, "path = '/say'\nbody = 'hola'", "line 6: publish.body: {text} must stand in it"),
        (5, "path = '/{what}'", "line 5: publish.path: {what} is not known; accepted: {text}"),
        (5, "path = '/say'\nmethod = 'post it'", "line 6: publish.method: 'post it' is no method"),
        (7, "[subscribe.websocket]", "line 7: subscribe.websocket: .*Did you mean web_socket?"),
        (7, "[subscribe.plugin_socket]", "line 7: subscribe.plugin_socket: there is no such key"),
        (8, "path = '/chat me'", "line 8: subscribe.web_socket.path: '/chat me' is no path"),
        (9, "again = '/x'", "line 9: subscribe.web_socket.again: web_socket does not heed it"),
        (9, "open = ['hi']", "line 9: subscribe.web_socket.open: pairs of texts are expected"),
        (9, "client = 'my.py'", "line 9: subscribe.web_socket.client: 'my.py' is not FILE.py:CL"),
        (9, "reply = { a = 1 }", "line 9: subscribe.web_socket.reply: a table of texts is exp"),
        (10, "at = [1.5]", "line 10: subscribe.web_socket.at: steps are expected"),
        (
            14,
            "again = '/{sid}'",
            "line 14: .*again: {sid} is not known; accepted: {session}, {cursor}",
        ),
        (13, "path = '/{sid}'", "line 13: .*path: {sid} is not known; accepted: {session}"),
        (8, "path = '/'\nmethod = 'POST'", "line 9: .*method: web_socket does not heed it"),
        (13, "path = '/'\nmethod = 'post'", "line 14: .*method: 'post' is no method of HTTP"),
        (16, "remember.cursor = 'x'", "line 16: .*remember.cursor: a table is expected"),
        (16, "remember.cursor.att = []", "line 16: .*cursor.att: .*Did you mean at?"),
    ],
)
def test_a_wrong_line_is_named(line: int, instead: str, said: str, tmp_path: Path) -> None:
    lines = WHOLE.splitlines()
    lines[line - 1] = instead
    with pytest.raises(PeerFileError) as caught:
        read_peer_file(write(tmp_path, "\n".join(lines)))
    assert str(caught.value).startswith("chat.toml")
    pattern = said.replace("{", r"\{").replace("?", r"\?").replace("[", r"\[")
    assert re.search(pattern, str(caught.value)), str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PeerFileError, match=r"none\.toml cannot be read: No such file"):
        read_peer_file(tmp_path / "none.toml")
