import pytest

from wire.terminal import visible, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ñandú, 日本語, 🙂", "plain, ñandú, 日本語, 🙂"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31mred", "\\x9b31mred"),  # one byte where ESC [ are two
        ("over\rwritten", "over\\rwritten"),
        ("two\nlines", "two\\nlines"),
        ("right\u202eleft", "right\\u202eleft"),
        ("no\u200bwhere", "no\\u200bwhere"),
        ("two\u2028lines", "two\\u2028lines"),
        ("half \udcff", "half \\udcff"),
        ("", ""),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(text).isprintable()


def test_lines_stay_lines() -> None:
    assert visible_lines("one\n\x1b[1mtwo\r\n") == "one\n\\x1b[1mtwo\\r\n"
