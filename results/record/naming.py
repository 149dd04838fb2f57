"""The words by which cells are named, and read again."""

SIDES = ("A", "B")  # of a run that measured two in turns: the first word of the variant
FOREIGN = "foreign "  # before the name of somebody else's server, in the variant
CARRIERS = ("h1", "h1+tls")  # what carries a technique's bytes; the first where nothing is said


def plain(value: float) -> str:
    """Write a number as short as tells it from every other one: ``20``, ``0.5``, ``20.000001``."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def unusual(carrier: str) -> str:
    """Return a carrier where it is worth a word: not the usual one."""
    return "" if carrier == CARRIERS[0] else carrier


def way_of(network: object, carrier: object) -> str:
    """Name a network, and the carrier where it is unusual."""
    return ", ".join(filter(None, (str(network), unusual(str(carrier)))))


def side_of(variant: str) -> str:
    """Return the side, ``A`` or ``B``, that a variant's first word names; else nothing."""
    first = variant.partition(",")[0]
    return first if first in SIDES else ""


def server_of(variant: str) -> str:
    """Return the foreign server that a variant names; nothing if it was ours."""
    found = (word for word in variant.split(", ") if word.startswith(FOREIGN))
    return next(found, "").removeprefix(FOREIGN)


def without_server(variant: str) -> str:
    """Return a variant without the foreign server that it names."""
    return ", ".join(word for word in variant.split(", ") if not word.startswith(FOREIGN))
