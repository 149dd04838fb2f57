import pytest

from loadtests.plan.greeting import get, greeting
from wire.techniques import OWN_PORT, SLUGS


@pytest.mark.parametrize("slug", [slug for slug in SLUGS if slug not in OWN_PORT])
def test_a_request_for_the_technique(slug: str) -> None:
    lines = greeting(slug, "here", "e-7").decode().split("\r\n")
    assert lines[:2] == [f"GET /{slug}?channel=here&after=e-7 HTTP/1.1", "Host: localhost"]
    assert lines[-2:] == ["", ""]
    assert ("Upgrade: websocket" in lines) == (slug == "web_socket")
    assert ("Accept: text/event-stream" in lines) == (slug == "sse")


def test_a_request_for_another_servers_path() -> None:
    assert get("polling", "/say?a", "here") == b"GET /say?a HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.mark.parametrize("slug", sorted(OWN_PORT))
def test_a_line_where_there_is_no_http(slug: str) -> None:
    assert greeting(slug, "here") == b'{"channel": "here"}\0'
    assert greeting(slug, "here", "e-7") == b'{"channel": "here", "cursor": "e-7"}\0'
