import os
from collections.abc import Callable


def write_whole(path: str, write: Callable[[str], object]) -> None:
    """Has `write` make a file beside `path`, which then takes its place at once."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    write(f"{path}.part")
    os.replace(f"{path}.part", path)
