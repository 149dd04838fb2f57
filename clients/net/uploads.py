"""What goes up on the two-way sockets: a message that has no id yet, as one line of JSON."""

import base64

from wire.message import Body, dump_json


def encode_upload(body: Body, sender: str | None, sent_ns: int | None) -> bytes:
    """Write ``{"text" or "base64", "sender", "sent_ns"}``; what is ``None`` is left out."""
    fields: dict[str, object] = (
        {"text": body} if isinstance(body, str) else {"base64": base64.b64encode(body).decode()}
    )
    if sender is not None:
        fields["sender"] = sender
    if sent_ns is not None:
        fields["sent_ns"] = sent_ns
    return dump_json(fields)
