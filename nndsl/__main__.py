"""`python -m nndsl`: the same as the `nndsl` command."""

import sys

from nndsl.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
