"""``python -m loadtests`` compares the techniques; ``... calibrate`` checks the instrument."""

import sys


def main(arguments: list[str]) -> int:
    """Run the named job, ``compare`` by default."""
    if arguments[:1] == ["calibrate"]:
        from loadtests.calibration import calibrate

        return calibrate.main(arguments[1:])
    from loadtests.trials import compare

    return compare.main(arguments[arguments[:1] == ["compare"] :])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
