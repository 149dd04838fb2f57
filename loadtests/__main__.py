"""``python -m loadtests`` compares the techniques; ``... calibrate`` checks the instrument.

``python -m loadtests knee`` finds the highest rate that each technique carries.
``python -m loadtests between`` sends each through what stands between client and server.
``python -m loadtests start NAME`` starts somebody else's server by itself.
``python -m loadtests worker ADDRESS:PORT`` makes load for a comparison on another host.
``python -m loadtests options`` prints what our users can be told on Locust's own command line.
"""

import sys


def main(arguments: list[str]) -> int:
    """Run the named job, ``compare`` by default."""
    if arguments[:1] == ["calibrate"]:
        from loadtests.calibration import calibrate

        return calibrate.main(arguments[1:])
    if arguments[:1] == ["knee"]:
        from loadtests.trials import knee

        return knee.main(arguments[1:])
    if arguments[:1] == ["between"]:
        from loadtests.between import command

        return command.main(arguments[1:])
    if arguments[:1] == ["start"]:
        from loadtests.trials import start

        return start.main(arguments[1:])
    if arguments[:1] == ["worker"]:
        from loadtests.trials import hosts

        return hosts.main(arguments[1:])
    if arguments[:1] == ["options"]:
        from loadtests.plan.options import options_help

        print(options_help(), end="")
        return 0
    from loadtests.trials import compare

    return compare.main(arguments[arguments[:1] == ["compare"] :])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
