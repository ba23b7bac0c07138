"""`python -m nndsl`: the same as the `nndsl` command."""

from nndsl.cli.main import run

if __name__ == "__main__":
    run()
