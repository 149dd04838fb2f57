"""What is wrong with a command line is told, before anything is started."""

import pytest

from loadtests.between import command


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--front", "http://a", "--proxy", "http://b"], "one at a time"),
        (["nginx", "--front", "http://a"], "try what runs already"),
        (["--server", "http://a"], "go with --front or --proxy"),
        (["--plugin-port", "1"], "go with --front or --proxy"),
        (["--silence", "long"], "'long'"),
    ],
)
def test_options_that_do_not_fit(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(words)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_a_name_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["ngnix"]) == 2
    assert "'ngnix' is no intermediary" in capsys.readouterr().err
