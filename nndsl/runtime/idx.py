"""IDX files: the form in which MNIST and sets like it are published, plain or packed with gzip."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator

import numpy as np

from nndsl.files import lies_in
from nndsl.runtime.arrays import regular
from nndsl.runtime.report import DataProblem, file_span, unreadable
from nndsl.runtime.scratch import Array

PARTS = (("train-images", "train-labels"), ("t10k-images", "t10k-labels"))
"""How the names of the files of training and test begin."""
MOST_ROWS = 2_000_000
"""Rows of one file: more are no set of this form."""
SIDE = 28


def is_idx(path: str) -> bool:
    """Whether a path is a folder, or one of the four files."""
    return os.path.isdir(path) or os.path.basename(path).startswith(("train-", "t10k-"))


class IdxFolder:
    """The four files in a folder. Raises DataProblem."""

    def __init__(self, path: str, shown: str, base: str) -> None:
        """`base` is the folder that links may not lead out of."""
        if not os.path.isdir(path):
            path, shown = os.path.dirname(path) or ".", os.path.dirname(shown) or "."
        self.path, self.shown, self.base = path, shown, base
        self._read: dict[str, Array] = {}

    def image(self) -> list[Array]:
        """Pictures [rows, 28, 28] for training and test, uint8."""
        return [self._take(images, 3) for images, _ in PARTS]

    def label(self) -> list[Array]:
        """Class ids [rows] for training and test, uint8."""
        return [self._take(labels, 1) for _, labels in PARTS]

    def check(self) -> None:
        """Raises DataProblem where a file is missing, or pictures and labels differ in number."""
        for images, labels in PARTS:
            pictures, names = len(self._take(images, 3)), len(self._take(labels, 1))
            if pictures != names:
                raise DataProblem(
                    "NN0605", f"{self.shown} has {pictures:,} pictures in `{images}…` and {names:,} labels in "
                    f"`{labels}…`", file_span(self.shown), help="fetch both files again",
                )  # fmt: skip

    def _take(self, stem: str, axes: int) -> Array:
        if stem not in self._read:
            self._read[stem] = self._load(stem, axes)
        return self._read[stem]

    def _load(self, stem: str, axes: int) -> Array:
        path, shown = self._find(stem, axes)
        packed = path.endswith(".gz")
        regular(path, shown)
        try:
            with gzip.open(path, "rb") if packed else open(path, "rb") as stream:
                head = stream.read(4 + 4 * axes)
                sizes = np.frombuffer(head[4:], ">u4").tolist() if len(head) == 4 + 4 * axes else []
                self._check(head, sizes, axes, shown)
                count = int(np.prod(sizes, dtype=np.int64))
                content = bytearray()
                # as much as the file holds, never as much as its header claims; a byte more than that tells a bomb
                while len(content) <= count and (part := stream.read(min(2**20, count + 1 - len(content)))):
                    content += part
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise self._damaged(shown, "is no gzip file, or a damaged one") from None
        except OSError as error:
            raise unreadable(shown, error) from None
        if len(content) != count:
            here = "more" if len(content) > count else f"{len(content):,}"
            raise self._damaged(shown, f"promises {count:,} bytes of data and has {here}")
        return np.frombuffer(content, np.uint8).reshape(sizes)

    def _check(self, head: bytes, sizes: list[int], axes: int, shown: str) -> None:
        if head[:4] != bytes((0, 0, 8, axes)) or not sizes:
            what = "pictures" if axes == 3 else "labels"
            raise self._damaged(shown, f"is no IDX file of {what}: it does not begin with 00 00 08 0{axes}")
        if not 1 <= sizes[0] <= MOST_ROWS:
            raise self._damaged(shown, f"claims {sizes[0]:,} rows")
        if axes == 3 and sizes[1:] != [SIDE, SIDE]:
            raise DataProblem(
                "NN0605", f"{shown} has pictures of {sizes[1]:,} × {sizes[2]:,}, and `mnist` reads those of {SIDE} × "
                f"{SIDE}", file_span(shown), help="save such a set with `numpy.savez`, and read it with `npz`",
            )  # fmt: skip

    def _find(self, stem: str, axes: int) -> tuple[str, str]:
        """The file, which may not be a link that leads out of the folder of the program."""
        for name in _names(stem, axes):
            path = os.path.join(self.path, name)
            if os.path.exists(path):
                shown = os.path.join(self.shown, name)
                if not lies_in(self.base, path):
                    raise DataProblem(
                        "NN0608", f"`{shown}` is a link that leads out of the folder of the data", file_span(shown),
                        help="put the file itself there",
                    )  # fmt: skip
                return path, shown
        name = next(_names(stem, axes))
        raise DataProblem(
            "NN0603", f"`{self.shown}` has no file `{name}` (or `{name}.gz`)", file_span(self.shown),
            help="the four files are train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
            "t10k-labels-idx1-ubyte, as they are or packed (.gz)",
        )  # fmt: skip

    def _damaged(self, shown: str, says: str) -> DataProblem:
        return DataProblem("NN0607", f"{shown} {says}", file_span(shown), help="fetch the file again")


def _names(stem: str, axes: int) -> Iterator[str]:
    for point in ("-", "."):
        for ending in ("", ".gz"):
            yield f"{stem}{point}idx{axes}-ubyte{ending}"
