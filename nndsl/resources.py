"""Where the files lie that are not Python: the grammar, the templates, and the user's cache folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    """In a wheel the folder stands inside the package (`nndsl/_grammar`), in a checkout beside it (`grammar`)."""
    packaged = _PACKAGE / f"_{name}"
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


def grammar_path() -> Path:
    """The grammar of the language, `nn.lark`."""
    return _folder("grammar") / "nn.lark"


def templates_path() -> Path:
    """The folder that holds `keras/` and `torch/`."""
    return _folder("templates")


def cache_dir() -> Path | None:
    """The user's own cache folder, made if it is missing; None where there is none that is safe to use.

    `NNDSL_CACHE` sets it, and switches caching off where it is empty. A folder that belongs to someone else, or that
    others may write to, is not used: what lies there is not ours.
    """
    chosen = os.environ.get("NNDSL_CACHE")
    if chosen is not None:
        if not chosen:
            return None
        folder = Path(chosen)
    else:
        base = os.environ.get("XDG_CACHE_HOME")
        folder = Path(base or "~/.cache") / "nndsl"
    try:
        folder = folder.expanduser()
        if not folder.is_absolute() and chosen is None:
            return None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if is_private(folder.stat()) else None
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return None


def is_private(status: os.stat_result) -> bool:
    """Whether a file or folder is this user's, and nobody else may write to it."""
    if not hasattr(os, "getuid"):  # Windows: a profile's folders are the user's own
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
