"""Pictures in folders, one folder for each class: decoded once, into memory or into a mapped file of bytes."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from math import prod
from threading import Lock
from typing import Any

import numpy as np

from nndsl.diagnostics.model import Diagnostic, Problems
from nndsl.files import lies_in
from nndsl.runtime.report import DataProblem, RunFailed, Unavailable, file_span, unreadable, warning
from nndsl.runtime.scratch import Array, Growing
from nndsl.source import Span

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
"""What is decoded: formats of plain pixels, whose decoders start no other program."""
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
MOST_PIXELS = 89_478_485
"""Pixels of one picture, Pillow's own limit: more is a bomb, or no picture to learn from."""
LARGE = 4_000_000
"""Pixels of a picture from which on one is decoded at a time: several at once would take gigabytes."""
CHUNK = 64 * 2**20
"""Bytes of pictures that are decoded at a time."""
SHOWN = 10
"""How many bad pictures are told of one by one."""


class PictureFolder:
    """`classes` are the names of the folders, `test_rows` says how many rows at the end are a test part. Raises
    DataProblem, RunFailed, Unavailable."""

    def __init__(
        self, path: str, shown: str, base: str, size: tuple[int, ...], channels: int, span: Span, *, labelled: bool
    ) -> None:
        """`base` is the folder that links may not lead out of, `size` height and width, `span` the place that asks.
        Where classes are not asked for (not `labelled`) pictures may lie in the folder itself, too."""
        self.labelled = labelled
        self.path, self.shown, self.span, self.base = path, shown, span, base
        self.size, self.channels = (size[0], size[1]), channels
        self.warnings: list[Diagnostic] = []
        self._skipped = 0
        parts = self._parts()
        self.classes = self._class_names(parts)
        self.files: list[str] = []  # below the folder, in the order of the rows
        labels: list[str] = []
        self.test_rows = 0
        for number, part in enumerate(parts):
            files, classes = self._files(part)
            self.files += files
            labels += classes
            self.test_rows = len(files) if number == 1 else 0
        self.labels: Array = np.array(labels, np.dtypes.StringDType())
        if self._skipped:
            self.warnings.append(
                warning(
                    "NN0607",
                    f"{self._skipped:,} file{' is' if self._skipped == 1 else 's are'} no picture in {shown}, and left "
                    "out",
                    span,
                    f"pictures end with {', '.join(ENDINGS)}, and lie in the folder of their class",
                )
            )
        self._pixels: Array | None = None
        self._one = Lock()

    # --------------------------------------------------------------------------------------- folders

    def _parts(self) -> list[str]:
        """The folders that hold the folders of classes: the one itself, or those of training and test."""
        if not os.path.isdir(self.path):
            raise DataProblem(
                "NN0607", f"`{self.shown}` is no folder", self.span, help="`images` reads a folder of folders"
            )
        names = self._folders("")
        if "train" in names and "test" in names:
            if others := [name for name in names if name not in ("train", "test")]:
                raise DataProblem(
                    "NN0607", f"`{self.shown}` holds `train` and `test`, and beside them `{others[0]}`", self.span,
                    help="put the folders of the classes into `train` and `test`; what is held out of `train` for "
                    "validation is said by `validation=0.1`",
                )  # fmt: skip
            return ["train", "test"]
        return [""]

    def _folders(self, below: str) -> list[str]:
        names = sorted(name for name, path in self._list(below) if os.path.isdir(path))
        for name in names:  # they become the names of classes
            if any("\ud800" <= character <= "\udfff" for character in name):
                raise DataProblem(
                    "NN0607", f"the name of the folder `{os.path.join(self.shown, below, name)}` is not UTF-8",
                    self.span, help="rename the folder",
                )  # fmt: skip
        return names

    def _list(self, below: str) -> list[tuple[str, str]]:
        """(name, path) of what a folder holds, hidden files apart. Raises DataProblem."""
        folder = os.path.join(self.path, below)
        try:
            found = sorted(name for name in os.listdir(folder) if not name.startswith("."))
        except OSError as error:
            raise unreadable(os.path.join(self.shown, below), error) from None
        paths = [(name, os.path.join(folder, name)) for name in found]
        for name, path in paths:
            if os.path.islink(path) and not lies_in(self.base, path):
                shown = os.path.join(self.shown, below, name)
                raise DataProblem(
                    "NN0608", f"`{shown}` is a link that leads out of the folder of the data", self.span,
                    help="put the pictures themselves there",
                )  # fmt: skip
        return paths

    def _class_names(self, parts: list[str]) -> list[str]:
        names = self._folders(parts[0])
        shown = os.path.join(self.shown, parts[0]).rstrip("/")
        if len(names) < 2 and self.labelled:
            raise DataProblem(
                "NN0607", f"`{shown}` holds {'no folder' if not names else 'one folder'}, and a folder for each class "
                "is needed", self.span,
                help=f"put the pictures into folders that bear the names of their classes: `{shown}/cat/1.jpg`",
            )  # fmt: skip
        for other in self._folders(parts[1]) if len(parts) > 1 and self.labelled else ():
            if other not in names:
                raise DataProblem(
                    "NN0607", f"`{self.shown}/test` has a class `{other}`, and `{self.shown}/train` has none of this "
                    "name", self.span, help="a class that is tested is trained before",
                )  # fmt: skip
        return names

    def _inside(self, below: str) -> list[str]:
        """The pictures in a folder, folders in it apart."""
        files = [(name, path) for name, path in self._list(below) if not os.path.isdir(path)]
        found = [name for name, path in files if name.lower().endswith(ENDINGS) and os.path.isfile(path)]
        self._skipped += len(files) - len(found)
        return [os.path.join(below, name) for name in found]

    def _files(self, part: str) -> tuple[list[str], list[str]]:
        """The pictures of a part, and the class of each."""
        files = self._inside(part)
        if self.labelled:
            self._skipped += len(files)
            files = []
        labels = [""] * len(files)
        for name in self._folders(part):
            below = os.path.join(part, name)
            found = self._inside(below)
            if not found and part != "test" and self.labelled:
                raise DataProblem(
                    "NN0607", f"`{os.path.join(self.shown, below)}` holds no picture", self.span,
                    help=f"pictures end with {', '.join(ENDINGS)}; remove the folder if it is no class",
                )  # fmt: skip
            files += found
            labels += [name] * len(found)
        if not files:
            raise DataProblem("NN0607", f"`{os.path.join(self.shown, part)}` holds no picture", self.span)
        return files, labels

    # --------------------------------------------------------------------------------------- pixels

    def pixels(self) -> Array:
        """[rows, height, width, channels] of uint8, mapped where it is large. Raises RunFailed with all bad pictures,
        DataProblem, Unavailable."""
        if self._pixels is None:
            self._pixels = self._decode()
        return self._pixels

    def _decode(self) -> Array:
        try:
            import PIL.Image as pillow
        except ImportError:
            raise Unavailable(
                f"the pictures of {self.shown} are read by Pillow, which is not installed",
                "install it: pip install 'nndsl[data]'",
            ) from None
        rows = Growing(self.shown)
        problems = Problems()
        bad = 0
        count = max(CHUNK // (prod(self.size) * self.channels), 1)
        with warnings.catch_warnings(), ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
            warnings.simplefilter("ignore")  # Pillow's own words about sizes and odd metadata: sizes are checked here
            for first in range(0, len(self.files), count):
                pixels = np.zeros((len(self.files[first : first + count]), *self.size, self.channels), np.uint8)
                read = partial(self._read, pillow, first, pixels)
                for problem in pool.map(read, range(len(pixels))):
                    bad += problem is not None
                    if problem is not None and bad <= SHOWN:
                        problems.add(problem.diagnostic)
                rows.add(pixels)
        if bad > SHOWN:
            problems.add(
                DataProblem(
                    "NN0607", f"{bad - SHOWN:,} more pictures of {self.shown} cannot be read", file_span(self.shown)
                ).diagnostic
            )
        if bad:
            raise RunFailed(problems)
        return rows.done()

    def _read(self, pillow: Any, first: int, pixels: Array, row: int) -> DataProblem | None:
        """Draws picture `first` + `row` into `pixels[row]`; what is wrong with it, if anything is."""
        name = self.files[first + row]
        shown = os.path.join(self.shown, name)
        try:
            with pillow.open(os.path.join(self.path, name), formats=FORMATS) as picture:
                across, down = picture.size
                if across * down > MOST_PIXELS:
                    return _bad(shown, f"has {across:,} × {down:,} pixels, more than {MOST_PIXELS:,}", "NN0702")
                if picture.mode.startswith(("I", "F")):
                    return _bad(shown, "has more than 8 bits for a color", help="save it with 8 bits a channel")
                mode, size = "RGB" if self.channels == 3 else "L", (self.size[1], self.size[0])
                with self._one if across * down > LARGE else nullcontext():
                    plain = picture if picture.mode == mode else picture.convert(mode)  # which would copy
                    drawn = plain if plain.size == size else plain.resize(size, pillow.Resampling.BILINEAR)
                    pixels[row] = np.asarray(drawn, np.uint8).reshape(*self.size, self.channels)
                    del plain, drawn
                    picture.close()
        except pillow.DecompressionBombError:
            return _bad(shown, f"has more than {MOST_PIXELS:,} pixels", "NN0702")
        except pillow.UnidentifiedImageError:
            return _bad(shown, "is no picture, or a damaged one")
        except OSError as error:
            return unreadable(shown, error) if error.errno is not None else _bad(shown, "is damaged")
        except (ValueError, TypeError, SyntaxError, EOFError, IndexError, KeyError, OverflowError, MemoryError):
            return _bad(shown, "is damaged")
        return None


def _bad(shown: str, says: str, code: str = "NN0607", help: str | None = None) -> DataProblem:
    return DataProblem(code, f"{shown} {says}", file_span(shown), help=help or "mend the file, or take it out")
