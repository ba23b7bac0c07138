"""NumPy's array files (.npy), alone or inside of an archive: numbers alone, read through a map of the file."""

from __future__ import annotations

import mmap
import os
import stat
import warnings
from math import prod
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.diagnostics.model import Label
from nndsl.runtime.report import DataProblem, RunFailed, file_span, unreadable

KINDS = {
    "U": "give words numbers before: 0, 1, 2, …",
    "S": "give words numbers before: 0, 1, 2, …",
    "c": "save real and imaginary parts as two numbers",
    "M": "make numbers of times before, such as the hour of the day",
    "m": "make numbers of spans of time before: `x / numpy.timedelta64(1, 's')`",
    "V": 'save each field as an array of its own: `numpy.savez(file, a=x["a"], b=x["b"])`',
}
"""What to do with arrays that hold no numbers, by their kind."""

MAX_HEADER = 2**16
"""Bytes of a header; NumPy itself reads 10,000."""

Array: TypeAlias = npt.NDArray[Any]
Header: TypeAlias = tuple[tuple[int, ...], bool, "np.dtype[Any]"]


class Damaged(Exception):
    """The bytes are no array, or not all of one; `objects` says that it is one of Python objects, `foreign` that they
    do not even begin as an array does."""

    def __init__(self, why: str = "", *, objects: bool = False, foreign: bool = False) -> None:
        super().__init__(why)
        self.why, self.objects, self.foreign = why, objects, foreign


class MappedFile:
    """A file whose arrays are read through a map. Raises OSError."""

    def __init__(self, path: str, shown: str) -> None:
        self.shown = shown
        with open(path, "rb") as stream:
            self.size = os.fstat(stream.fileno()).st_size
            self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)

    def array(self, header: Header, start: int) -> Array:
        """The array with that header, whose numbers begin at `start`. Raises Damaged."""
        shape, fortran, dtype = header
        count = prod(shape)
        if start + count * dtype.itemsize > self.size:
            there = max(self.size - start, 0) // max(dtype.itemsize, 1)
            raise Damaged(f"it says that {count:,} numbers follow, and {there:,} do")
        values = np.frombuffer(self._map, dtype, count, start) if count else np.zeros(0, dtype)
        return values.reshape(shape, order="F" if fortran else "C")

    def check(self) -> None:
        """That the file is as long as it was: to read a map beyond the end of its file ends the process. Raises
        RunFailed."""
        if self._map.size() < self.size:
            cut = DataProblem(
                "NN0607", f"{self.shown} was cut off while it was read", file_span(self.shown),
                help="write data to a new file, and give it the name of the old one when it is whole",
            )  # fmt: skip
            raise RunFailed.one(cut)


class _Short:
    """The beginning of a stream: NumPy's reader asks for as much as a header claims to have."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= MAX_HEADER:
            raise ValueError
        return self._stream.read(size)


def read_header(stream: IO[bytes]) -> Header:
    """(shape, whether in Fortran's order, dtype) at the beginning of an array; the stream then stands behind it.
    Raises Damaged."""
    try:
        version = np.lib.format.read_magic(stream)
    except (ValueError, EOFError):
        raise Damaged(foreign=True) from None
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise Damaged("it has a version that NumPy writes for tables with names alone")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            header = readers[version](_Short(stream))
    except OSError:
        raise
    except Exception:  # the parsers of Python and NumPy raise a dozen kinds of errors of a text that is none
        raise Damaged("its first lines say nothing of a shape") from None
    shape, fortran, dtype = header
    if dtype.hasobject:
        raise Damaged(objects=True)
    if dtype.itemsize == 0:
        raise Damaged("its items have no bytes")
    # NumPy makes no array of sizes that would be too many but for a 0 among them.
    count = prod(max(size, 1) for size in shape)
    if any(size < 0 for size in shape) or len(shape) > 32 or count * dtype.itemsize >= 2**62:
        raise Damaged(f"it claims to have the shape {list(shape)}")
    return (tuple(int(size) for size in shape), bool(fortran), dtype)


def open_array(path: str, shown: str, place: Label | None = None) -> tuple[Array, MappedFile | None]:
    """The array [rows, …] of an .npy file, and the map through which it is read (None for an empty file's array).
    `place` is where it is asked for. Raises DataProblem."""
    related = (place,) if place is not None else ()
    regular(path, shown)
    try:
        with open(path, "rb") as stream:
            header = read_header(stream)
            start = stream.tell()
        mapped = MappedFile(path, shown)
        values = mapped.array(header, start)
    except Damaged as damaged:
        raise problem_of(damaged, shown, shown, _looks_like(path), related) from None
    except OSError as error:
        raise unreadable(shown, error) from None
    return numbers_of(values, shown, shown, related), mapped


def regular(path: str, shown: str) -> None:
    """Refuses what is no file: a folder, and a pipe or a device, which may never end. Raises DataProblem."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise unreadable(shown, error) from None
    except ValueError:  # a NUL in the name
        raise DataProblem("NN0603", f"there is no file `{shown}`", file_span(shown)) from None
    if stat.S_ISDIR(mode):
        raise DataProblem("NN0607", f"`{shown}` is a folder, not a file", file_span(shown), help="name a file in it")
    if not stat.S_ISREG(mode):
        kind = (
            "a pipe" if stat.S_ISFIFO(mode) else "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "no file"
        )
        raise DataProblem(
            "NN0607", f"`{shown}` is {kind}, which is read once at most and may never end", file_span(shown),
            help="save it as a file first; a table in CSV is read from the standard input with `--data -`",
        )  # fmt: skip


def problem_of(damaged: Damaged, what: str, shown: str, more: str = "", related: tuple[Label, ...] = ()) -> DataProblem:
    """What is to be said of an array that cannot be read."""
    if damaged.objects:
        return DataProblem(
            "NN0607", f"{what} holds Python objects, which are never loaded: they could run code", file_span(shown),
            related=related,
            help="save numbers: `x.astype(float)` before `numpy.savez` or `numpy.save`; rows of unequal length need "
            "padding",
        )  # fmt: skip
    if damaged.foreign:
        return DataProblem(
            "NN0607", f"{what} is no array of NumPy", file_span(shown), related=related,
            help=more or "`numpy.save(file, x)` writes one",
        )  # fmt: skip
    why = f": {damaged.why}" if damaged.why else ""
    return DataProblem(
        "NN0607", f"{what} is damaged{why}", file_span(shown), related=related,
        help=more or "write the file anew, or fetch it again",
    )  # fmt: skip


def numbers_of(array: Array, what: str, shown: str, related: tuple[Label, ...] = ()) -> Array:
    """The array, if it has rows of numbers or booleans. Raises DataProblem."""
    place = file_span(shown)
    if array.dtype.kind not in "biuf":
        raise DataProblem(
            "NN0605", f"{what} holds no numbers, but {array.dtype}", place, related=related,
            help=KINDS.get(array.dtype.kind),
        )  # fmt: skip
    if array.ndim == 0:
        raise DataProblem(
            "NN0605", f"{what} is a single number, not a row for each sample", place, related=related,
            help="save an array with one row for each sample",
        )  # fmt: skip
    if 0 in array.shape[1:]:  # such an array claims any number of rows, and takes no room
        raise DataProblem(
            "NN0605", f"{what} has rows without a number: its shape is {list(array.shape)}", place, related=related,
            help="each row needs at least one number",
        )  # fmt: skip
    return array


def _looks_like(path: str) -> str:
    with open(path, "rb") as stream:
        head = stream.read(4)
    return "this is an archive of arrays: give it the ending .npz" if head[:2] == b"PK" else ""
