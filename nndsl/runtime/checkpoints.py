"""Checkpoints of a run: whole files whose names tell whether they are what was written.

A file is written beside and renamed, and its name ends with a hash of what is in it: whatever happens to the machine,
there is always one that can be read, or none.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass

from nndsl.files import write_bytes, writing
from nndsl.runtime.trees import Damaged, Tree, pack, unpack

KEPT = 2
"""How many checkpoints stay: the newest may turn out damaged."""
_NAME = re.compile(r"step-(\d+)-([0-9a-f]{16})\.safetensors")


@dataclass(frozen=True)
class Found:
    """A checkpoint that was read: `skipped` are newer files that are damaged."""

    step: int
    tree: Tree
    skipped: tuple[str, ...] = ()


class Checkpoints:
    """The checkpoints of one run, in a folder of their own."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def save(self, step: int, tree: Tree) -> str:
        """Writes one, then removes all but the newest few; gives its path. Raises nndsl.files.CannotWrite."""
        with writing(self.folder), suppress(FileExistsError):
            os.mkdir(self.folder)
        data = pack(tree)
        path = os.path.join(self.folder, f"step-{step:09}-{_hash(data)}.safetensors")
        write_bytes(path, data, durable=True)
        for _, old in self._all()[KEPT:]:
            if old != path:
                with writing(old), suppress(FileNotFoundError):
                    os.unlink(old)
        return path

    def newest(self) -> Found | None:
        """The newest one that is whole; None where there is none."""
        skipped: list[str] = []
        for step, path in self._all():
            try:
                with open(path, "rb") as stream:
                    data = stream.read()
                if _hash(data) == _NAME.fullmatch(os.path.basename(path))[2]:  # type: ignore[index]
                    return Found(step, unpack(data), tuple(skipped))
            except (OSError, Damaged):
                pass
            skipped.append(path)
        return None

    def newest_step(self) -> int | None:
        """The step of the newest file, read or not."""
        return next((step for step, _ in self._all()), None)

    def _all(self) -> list[tuple[int, str]]:
        """(step, path), the newest first; of one step the one that was written last."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return []
        found = []
        for name in names:
            if match := _NAME.fullmatch(name):
                path = os.path.join(self.folder, name)
                with suppress(OSError):
                    found.append((int(match[1]), os.stat(path).st_mtime_ns, path))
        return [(step, path) for step, _, path in sorted(found, reverse=True)]


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
