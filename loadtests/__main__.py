"""``python -m loadtests`` compares the techniques; ``... calibrate`` checks the instrument."""

import sys

from loadtests import compare


def main(arguments: list[str]) -> int:
    """Run the named job, ``compare`` by default."""
    if arguments[:1] == ["compare"]:
        return compare.main(arguments[1:])
    return compare.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
