from loadtests.measures.layers import bytes_rows
from loadtests.measures.measure import Flow
from results.record.rows import LAYERS


def test_the_layers_of_bytes_add_up_to_what_was_on_the_wire() -> None:
    flow = Flow(
        message_bytes=1000,
        message_bytes_up=50,
        tcp_down=1500,
        tcp_up=80,
        segments_down=10,
        segments_up=12,
    )
    rows = {(row.direction, row.layer): row for row in bytes_rows("subscriber", flow, 10)}
    down = [rows["down", layer].bytes for layer in ("message", "framing", "tcp_ip_headers")]
    assert down == [1000, 500, 10 * 52]
    assert rows["up", "framing"].bytes == 30
    assert rows["down", "message"].per_message == 100
    assert {row.source for row in rows.values()} == {"client", "kernel", "model"}


def test_tls_is_a_layer_of_its_own_and_its_handshake_another() -> None:
    flow = Flow(
        message_bytes=1000,
        tcp_down=3000,
        tcp_up=800,
        tls_down=220,
        tls_up=66,
        handshake_down=1300,
        handshake_up=600,
    )
    rows = {(row.direction, row.layer): row.bytes for row in bytes_rows("subscriber", flow, 10)}
    down = [rows["down", layer] for layer in LAYERS]
    assert down == [1000, 480, 220, 1300, 0]
    assert sum(rows["up", layer] for layer in LAYERS[1:]) == 800
    assert rows["up", "framing"] == 134
