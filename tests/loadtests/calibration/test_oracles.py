"""The exact oracles know every stream; that they hold is the exact part of ``calibrate``."""

from loadtests.calibration import oracles
from wire.techniques import TECHNIQUES


def test_the_exact_size_of_a_message_is_known_for_every_stream() -> None:
    assert {one.codec for one in TECHNIQUES if one.streams} <= set(oracles.FRAMINGS)
