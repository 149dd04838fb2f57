"""Text of strangers on a terminal: it may be read there, and not steer it.

What others wrote (a message, a server's problem, the reasons in a run that came by mail, a file's
name) may hold escape sequences: they colour, erase, retitle, and on some terminals type. So every
command shows such text by these functions, and here is the only place that knows how.
"""


def visible(text: str) -> str:
    """Return ``text`` as one line, with whatever a terminal would obey written as ``\\x1b``.

    So are line breaks, invisible letters, those that turn the direction of writing, and the halves
    of characters that a file's name may hold.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def visible_lines(text: str) -> str:
    """Return ``text`` like :func:`visible`, but with its line breaks kept."""
    return "\n".join(map(visible, text.split("\n")))
