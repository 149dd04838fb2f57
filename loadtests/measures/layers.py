"""The bytes on the wire, laid apart: which are the message, and who put the others around it."""

from loadtests.measures.measure import Flow
from results.record.rows import BytesRow
from wire.tcp_info import modelled_header_bytes


def bytes_rows(role: str, flow: Flow, messages: int) -> list[BytesRow]:
    """Return the layers of a flow, down and up, per message."""
    rows = []
    payload = "kernel" if flow.segments_down or flow.segments_up else "client"
    for direction, message, tcp, segments in (
        ("down", flow.message_bytes, flow.tcp_down, flow.segments_down),
        ("up", flow.message_bytes_up, flow.tcp_up, flow.segments_up),
    ):
        tls, handshake = (getattr(flow, f"{name}_{direction}") for name in ("tls", "handshake"))
        encrypted = [("tls", tls, "client"), ("tls_handshake", handshake, "client")]
        for layer, count, source in (
            ("message", message, "client"),
            ("framing", tcp - message - tls - handshake, payload),
            *(encrypted if flow.tls_down or flow.tls_up else ()),
            ("tcp_ip_headers", modelled_header_bytes(segments), "model"),
        ):
            rows.append(BytesRow(role, direction, layer, count, count / max(messages, 1), source))
    return rows
