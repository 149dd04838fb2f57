"""One setting: what it accepts, and how people, programs and Locust's page give it.

A setting is a field of :class:`~loadtests.plan.options.Settings`, made by :func:`setting`. All that
asks for it, checks it or names it reads that field.
"""

from argparse import Action, ArgumentTypeError
from collections.abc import Callable
from dataclasses import Field, dataclass, field, replace
from typing import Any

from loadtests.plan.amounts import Amount

_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Compared:
    """How ``compare`` takes a setting: by what default, bounds and words, if not everybody's.

    Several ``levels`` may be given there where each is a load of its own.
    """

    default: Any = None
    accepts: Amount | None = None
    help: str = ""
    levels: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A named value. Its kind is that of its default.

    ``accepts`` are bounds of a number or the words to choose from; ``compared`` is ``None`` where
    ``compare`` does not ask; ``variant`` says in a table that the value is not the usual one (a
    format, or who makes the words); ``on_page`` is false for what Locust's page does not show.
    """

    name: str
    default: Any
    help: str
    accepts: Amount | tuple[str, ...] | None = None
    compared: Compared | None = None
    variant: str | Callable[[str], str] = ""
    on_page: bool = True

    @property
    def flag(self) -> str:
        """Its option: ``--no-`` in front of what is on unless it is turned off."""
        return f"--{'no-' * (self.default is True)}{self.name.replace('_', '-')}"

    @property
    def is_a_level(self) -> bool:
        """Whether several values may be given, each a load of its own."""
        return self.compared is not None and self.compared.levels

    def read(self, value: object) -> Any:
        """Return a value in the setting's kind; text is read as on a command line.

        Raises ``ArgumentTypeError``, which says what is accepted.
        """
        if isinstance(self.accepts, Amount):
            return self.accepts(str(value))
        text = str(value)
        if isinstance(self.default, bool):
            if text.lower() not in _YES + _NO:
                raise ArgumentTypeError(f"{text!r} is not true or false")
            return text.lower() in _YES
        if self.accepts is not None and text not in self.accepts:
            raise ArgumentTypeError(f"{text!r} is not one of {', '.join(self.accepts)}")
        return text

    def add_by(self, add: Callable[..., Action]) -> Action:
        """Make the option by a parser's ``add_argument``."""
        if isinstance(self.default, bool):
            action = "store_false" if self.default else "store_true"
            return add(self.flag, dest=self.name, action=action, help=self.help)
        shown = f"{self.default:g}" if isinstance(self.default, float) else self.default
        return add(
            self.flag,
            default=[self.default] if self.is_a_level else self.default,
            nargs="+" if self.is_a_level else None,
            help=self.help if shown == "" else f"{self.help} (default: {shown})",
            **{"type" if isinstance(self.accepts, Amount) else "choices": self.accepts},
        )

    def for_all(self) -> "Setting":
        """Return the setting as Locust asks for it: one value."""
        return replace(self, compared=None)

    def for_compare(self) -> "Setting":
        """Return the setting with the default, bounds and words that it has in ``compare``."""
        here = self.compared or Compared()
        return replace(
            self,
            default=self.default if here.default is None else here.default,
            accepts=here.accepts or self.accepts,
            help=here.help or self.help,
        )


def setting(
    default: Any,
    help: str,
    accepts: Amount | tuple[str, ...] | None = None,
    *,
    compared: Compared | None = None,
    variant: str | Callable[[str], str] = "",
    on_page: bool = True,
) -> Any:
    """Return a field of ``Settings``; the parameters are those of :class:`Setting`."""
    words = {"help": help, "accepts": accepts, "compared": compared, "variant": variant}
    return field(default=default, metadata={**words, "on_page": on_page})


def setting_of(item: "Field[Any]") -> Setting:
    """Return what a field was made of."""
    return Setting(item.name, item.default, **item.metadata)
