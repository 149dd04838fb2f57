"""How a verdict looks: a colour, a sign, and words that a screen reader says; and choices to click.

Colour never stands alone: the sign differs, and so do the words.
"""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

RIGHT, WRONG, OPEN = "right", "wrong", "open"
SIGNS = {RIGHT: "✓", WRONG: "✗", OPEN: "○"}
INKS = {RIGHT: "#0B6E4F", WRONG: "#A31515", OPEN: "#5F6368"}


def marked(state: str, text: str) -> str:
    """Return a verdict as HTML; ``text`` says it in words, the sign is for the eye."""
    ink, sign = INKS[state], SIGNS[state]
    badge = (
        f'<span aria-hidden="true" style="display:inline-block;width:1.5em;text-align:center;'
        f'color:#fff;background:{ink};border-radius:3px;font-weight:bold">{sign}</span>'
    )
    style = f"border-left:4px solid {ink};padding:4px 0 4px 10px;white-space:pre-line"
    return (
        f'<div class="duplex-mark duplex-{state}" role="status" style="{style}">'
        f"{badge} {escape(text)}</div>"
    )


def choice_buttons(
    choices: Mapping[str, str], now: str, choose: Callable[[str], tuple[bool, str]]
) -> Any:
    """Return a button for each choice (its words by its value), under what is said ``now`` (HTML).

    ``choose`` is called with the value and returns whether it is right, and what to say then.
    """
    import ipywidgets as widgets

    said = widgets.HTML(now)
    buttons = {value: widgets.Button(description=words) for value, words in choices.items()}

    def clicked(value: str) -> None:
        passed, said.value = choose(value)
        for other, button in buttons.items():
            button.button_style, button.icon = "", ""
            button.disabled = passed and other != value
        buttons[value].button_style = "success" if passed else "danger"
        buttons[value].icon = "check" if passed else "times"

    for value, button in buttons.items():
        button.layout.width = "auto"
        button.add_class("duplex-choice")
        button.on_click(lambda _, value=value: clicked(value))
    return widgets.VBox([widgets.HBox([*buttons.values()], layout={"flex_flow": "row wrap"}), said])
