"""The command that measures permessage-deflate, in small."""

import pytest

from loadtests.limits.deflate import TEXTS, main


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
def test_the_command_tells_of_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--connections", "2", "--messages", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    bytes_each = {
        (name, side): float(line.removeprefix(name).split()[1])
        for name in TEXTS
        for line in lines
        for side in ("plain", "deflate")
        if line.startswith(name + " ") and line.removeprefix(name).split()[0] == side
    }
    assert len(bytes_each) == 2 * len(TEXTS)
    for name in TEXTS:
        assert bytes_each[name, "deflate"] < bytes_each[name, "plain"]
    assert sum("KiB of memory per connection" in line for line in lines) == 2
