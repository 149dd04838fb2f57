import json

from clients.net.uploads import encode_upload


def test_text_bytes_and_what_is_left_out() -> None:
    assert json.loads(encode_upload("ñ\n", None, None)) == {"text": "ñ\n"}
    assert json.loads(encode_upload(b"\xff", "ana", 0)) == {
        "base64": "/w==",
        "sender": "ana",
        "sent_ns": 0,
    }
