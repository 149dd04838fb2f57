"""An old name: what it started is ``python -m loadtests.limits.deflate`` now."""

import sys

if __name__ == "__main__":
    sys.exit("This has moved: python -m loadtests.limits.deflate")
