from clients.errors import ClientError, refused, refused_for
from wire.http_head import ResponseHead


def test_a_problem_gives_status_title_and_detail() -> None:
    head = ResponseHead(413, "Content Too Large", {"content-type": "application/problem+json"})
    error = refused(head, b'{"title":"too large","status":413,"detail":"accepted are 1 MiB"}')
    assert (error.status, error.title, error.detail) == (413, "too large", "accepted are 1 MiB")
    assert str(error) == "413 too large: accepted are 1 MiB"
    assert error.retry_after_s is None
    assert isinstance(error, ClientError)


def test_other_answers_do_not_confuse_it() -> None:
    problem = {"content-type": "application/problem+json"}
    for body in (b"", b"[1]", b"\xff", b'{"status":"x"}', b"[" * 100_000):
        assert refused(ResponseHead(400, "Bad Request", problem), body).status == 400
    plain = refused(ResponseHead(502, "Bad Gateway", {"content-type": "text/html"}), b"<h1>no")
    assert plain.detail == "<h1>no"
    assert refused_for(None).status == 400


def test_retry_after_in_seconds_only() -> None:
    for text, seconds in (("3", 3.0), ("-3", None), ("Fri, 01 Jan 2027 00:00:00 GMT", None)):
        head = ResponseHead(503, "Service Unavailable", {"retry-after": text})
        assert refused(head, b"").retry_after_s == seconds
