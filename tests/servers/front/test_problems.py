import json

import pytest

from servers.front.problems import Problem, problem_of
from wire.errors import CursorError, HandshakeError, MessageError, WebSocketError
from wire.http_head import END, decode_response_head


def test_a_problem_has_the_members_of_rfc_9457() -> None:
    assert Problem(404, "there is nothing").members() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is nothing",
    }


def test_both_forms_of_the_answer_say_the_same() -> None:
    problem = Problem(503, "come back: ¡ya! \ud83d", Retry_After="5")
    raw, _, body = problem.raw().partition(END)
    head, response = decode_response_head(raw + END), problem.response()
    assert head.status == response.status == 503
    assert response.body == body == problem.body()
    assert head.length == len(body)
    for fields in (head.fields, {name.lower(): value for name, value in response.headers.items()}):
        assert fields["content-type"].startswith("application/problem+json")
        assert fields["cache-control"] == "no-store"
        assert fields["retry-after"] == "5"
    assert not head.keeps_alive
    assert json.loads(body)["detail"].startswith("come back: ¡ya! ")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MessageError("no JSON"), 400),
        (CursorError("no cursor"), 400),
        (HandshakeError(400, "a bad key"), 400),
        (HandshakeError(426, "version 8"), 426),
        (WebSocketError(1002, "no mask"), 400),
    ],
)
def test_what_a_codec_refused_becomes_a_problem(error: Exception, status: int) -> None:
    problem = problem_of(error)  # type: ignore[arg-type]
    assert problem.status == status
    assert str(error).partition(": ")[2] in problem.detail


def test_a_wrong_version_is_told_the_right_one() -> None:
    """RFC 6455, 4.4; RFC 9110, 15.5.22 asks for Upgrade."""
    headers = problem_of(HandshakeError(426, "version 8")).headers
    assert headers["Sec-WebSocket-Version"] == "13"
    assert headers["Upgrade"] == "websocket"
    assert headers["Connection"] == "Upgrade"
