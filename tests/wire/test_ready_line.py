import pytest

from wire.ready_line import ReadyLine, decode_ready_lines, encode_ready_line

LINES = {
    "servers ready http://127.0.0.1:8000 plugin 127.0.0.1:8001": ReadyLine(
        "servers", "http://127.0.0.1:8000", plugin="127.0.0.1:8001"
    ),
    "servers ready http://127.0.0.1:8000": ReadyLine("servers", "http://127.0.0.1:8000"),
    "servers ready http://[::1]:8000 plugin ::1:8001": ReadyLine(
        "servers", "http://[::1]:8000", plugin="::1:8001"
    ),
    "servers ready https://127.0.0.1:8000 plugin 127.0.0.1:8001 trust /home/a b/ca.pem": ReadyLine(
        "servers", "https://127.0.0.1:8000", "127.0.0.1:8001", trust="/home/a b/ca.pem"
    ),
    "relay ready http://127.0.0.1:9000 -> localhost:8000": ReadyLine(
        "relay", "http://127.0.0.1:9000", to="localhost:8000"
    ),
    "control ready http://127.0.0.1:9001": ReadyLine("control", "http://127.0.0.1:9001"),
    "lecture ready http://127.0.0.1:8002/#key=x-_1": ReadyLine(
        "lecture", "http://127.0.0.1:8002/#key=x-_1"
    ),
    "baseline ready 8000 8001": ReadyLine("baseline", ports=(8000, 8001)),
    "bare ready": ReadyLine("bare"),
}


@pytest.mark.parametrize(("text", "line"), LINES.items())
def test_each_is_written_as_it_ever_was_and_read_back(text: str, line: ReadyLine) -> None:
    assert encode_ready_line(line) == text
    for end in ("\n", "\r\n"):
        assert decode_ready_lines(text + end, line.who) == [line]


@pytest.mark.parametrize(
    ("text", "host", "port", "plugin_port"),
    [
        ("servers ready http://127.0.0.1:8000 plugin 127.0.0.1:8001", "127.0.0.1", 8000, 8001),
        ("servers ready http://[::1]:8000 plugin ::1:8001", "[::1]", 8000, 8001),
        ("servers ready https://[::1]:8000 plugin ::1:8001 trust x", "[::1]", 8000, 8001),
        ("lecture ready http://127.0.0.1:8002/#key=x:1", "127.0.0.1", 8002, 0),
        ("bare ready", "", 0, 0),
    ],
)
def test_the_places_in_it(text: str, host: str, port: int, plugin_port: int) -> None:
    (line,) = decode_ready_lines(f"{text}\n", text.partition(" ")[0])
    assert (line.host, line.port, line.plugin_port) == (host, port, plugin_port)


def test_it_is_found_among_other_lines_and_in_their_order() -> None:
    output = (
        "WARNING servers: not ready http://127.0.0.1:1\n"
        "relay ready http://127.0.0.1:2 -> 127.0.0.1:3\n"
        "control ready http://127.0.0.1:4\n"
        "relay ready http://127.0.0.1:5 -> 127.0.0.1:6\n"
        "relay ready, they say\n"
    )
    assert [line.port for line in decode_ready_lines(output, "relay")] == [2, 5]
    assert decode_ready_lines(output, "servers") == []


def test_half_a_line_is_not_read() -> None:
    assert decode_ready_lines("servers ready http://127.0.0.1:80", "servers") == []
