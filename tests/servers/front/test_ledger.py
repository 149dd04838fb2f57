from servers.front.ledger import Ledger, Row, metrics, resident_bytes
from wire.techniques import SLUGS


def test_every_technique_has_a_row_of_zeros() -> None:
    rows = Ledger().as_json()
    assert tuple(rows) == SLUGS
    assert all(set(row.values()) == {0} for row in rows.values())


def test_rows_are_not_shared() -> None:
    ledger = Ledger()
    ledger.rows["sse"].open += 1
    assert Ledger().rows["sse"] == Row()
    assert ledger.rows["polling"] == Row()


def test_metrics_name_gauges_and_totals() -> None:
    ledger = Ledger()
    ledger.rows["sse"].open = 2
    ledger.rows["sse"].deliveries = 10
    process = {"cpu_s": 1.5, "rss_bytes": 2, "open_sockets": 3}
    text = metrics(ledger.as_json(), process)
    lines = text.splitlines()
    assert "# TYPE duplex_open gauge" in lines
    assert 'duplex_open{technique="sse"} 2' in lines
    assert "# TYPE duplex_deliveries_total counter" in lines
    assert 'duplex_deliveries_total{technique="sse"} 10' in lines
    assert "process_open_sockets 3" in lines
    assert "process_cpu_seconds_total 1.500000" in lines
    assert text.endswith("\n")


def test_a_python_process_has_some_megabytes() -> None:
    assert resident_bytes() > 2**20
