import struct

import pytest

from wire.errors import WireError
from wire.tcp_info import SIZE, decode_tcp_info, modelled_header_bytes

# The struct of a present kernel with a different value in each field, in the order of linux/tcp.h.
LAYOUT = "=8B24I4Q2I4I4Q2I2Q4I"
FULL = struct.pack(LAYOUT, *range(1, 55))


def test_every_field_comes_from_its_place_in_the_struct() -> None:
    info = decode_tcp_info(FULL)
    assert (info.state, info.retransmits, info.probes, info.backoff) == (1, 3, 4, 5)
    assert (info.snd_mss, info.unacked) == (11, 13)
    assert (info.last_data_sent_ms, info.last_data_recv_ms, info.last_ack_recv_ms) == (18, 20, 21)
    assert (info.rtt_us, info.rttvar_us, info.snd_cwnd, info.total_retrans) == (24, 25, 27, 32)
    assert (info.bytes_acked, info.bytes_received) == (35, 36)
    assert (info.segs_out, info.segs_in, info.notsent_bytes, info.min_rtt_us) == (37, 38, 39, 40)
    assert (info.data_segs_in, info.data_segs_out) == (41, 42)
    assert (info.bytes_sent, info.bytes_retrans, info.snd_wnd) == (49, 50, 54)


def test_a_later_kernel_may_say_more() -> None:
    assert decode_tcp_info(FULL.ljust(SIZE, b"\xff")) == decode_tcp_info(FULL)


def test_an_older_kernel_says_less_and_what_is_missing_is_none() -> None:
    oldest = decode_tcp_info(FULL[:104])
    assert oldest.total_retrans == 32
    assert (oldest.bytes_acked, oldest.segs_out, oldest.bytes_sent) == (None, None, None)
    before_bytes_sent = decode_tcp_info(FULL[:200])
    assert (before_bytes_sent.data_segs_out, before_bytes_sent.bytes_sent) == (42, None)


def test_a_field_cut_in_the_middle_is_missing() -> None:
    assert decode_tcp_info(FULL[:207]).bytes_sent is None


def test_other_bytes_are_refused() -> None:
    with pytest.raises(WireError, match="103 bytes"):
        decode_tcp_info(FULL[:103])


@pytest.mark.parametrize(
    ("ipv6", "timestamps", "each"),
    [(False, True, 52), (False, False, 40), (True, True, 72), (True, False, 60)],
)
def test_modelled_headers(ipv6: bool, timestamps: bool, each: int) -> None:
    assert modelled_header_bytes(10, ipv6=ipv6, timestamps=timestamps) == 10 * each


def test_there_is_no_negative_number_of_segments() -> None:
    with pytest.raises(ValueError, match="-1"):
        modelled_header_bytes(-1)
