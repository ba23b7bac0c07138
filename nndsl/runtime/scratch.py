"""Room for what does not fit into the memory: numbers and text in files that have no name, and vanish by themselves."""

from __future__ import annotations

import io
import mmap
import os
import tempfile
from collections.abc import Sequence
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.runtime.report import DataProblem, file_span

Array: TypeAlias = npt.NDArray[Any]

IN_MEMORY = 256 * 2**20
"""How many bytes of numbers are kept in the memory before they go to a file."""
COPIED = 8 * 2**20
"""Bytes that are copied at a time."""


class Growing:
    """Rows of numbers that arrive in chunks, of a number that is not known before: in the memory while they are few,
    then in a file without a name. `shown` is what messages call the data. Raises DataProblem where the disk is full."""

    def __init__(self, shown: str) -> None:
        self.shown, self.rows, self.bytes = shown, 0, 0
        self._chunks: list[Array] = []
        self._file: IO[bytes] | None = None

    def add(self, chunk: Array) -> None:
        """Takes [rows, …]; all chunks have the same row and dtype."""
        self.rows += len(chunk)
        self.bytes += chunk.nbytes
        if self._file is not None:
            self._write(chunk)
            return
        self._chunks.append(chunk)
        if self.bytes > IN_MEMORY:
            self._file = _open(self.shown)
            for one in self._chunks:
                self._write(one)
            del self._chunks[1:]  # the first tells the row and the dtype

    def _write(self, chunk: Array) -> None:
        assert self._file is not None
        try:
            self._file.write(np.ascontiguousarray(chunk).data)
        except OSError as error:
            raise _full(self.shown, error) from None

    def done(self) -> Array:
        """All rows: an array in the memory, or a map of the file."""
        if self._file is None:
            return np.concatenate(self._chunks) if len(self._chunks) != 1 else self._chunks[0]
        try:
            self._file.flush()  # the map outlives the file, which nobody else knows
            view = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise _full(self.shown, error) from None
        self._file.close()
        first = self._chunks[0]
        return np.frombuffer(view, first.dtype).reshape(self.rows, *first.shape[1:])

    def __del__(self) -> None:
        """Reading may have ended with an error."""
        if self._file is not None:
            self._file.close()


def picked(values: Array, numbers: Sequence[int], shown: str) -> Array:
    """Columns of [rows, columns, …]: a view where they lie evenly apart, else a copy, which may be in a file."""
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    if step > 0 and list(numbers) == list(range(numbers[0], numbers[-1] + 1, step)):
        return values[:, numbers[0] : numbers[-1] + 1 : step]
    copy = Growing(shown)
    rows = max(COPIED // max(values[:1].nbytes, 1), 1)
    for first in range(0, max(len(values), 1), rows):
        copy.add(values[first : first + rows, numbers])
    return copy.done()


class Spooled(io.RawIOBase):
    """One reader of a file without a name, at its own place from the beginning on."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = os.pread(self._file.fileno(), len(buffer), self._at)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


def spool(stream: IO[bytes], shown: str, limit: int) -> IO[bytes]:
    """What a pipe gives, up to `limit` bytes, in a file without a name that can be read again. Raises DataProblem."""
    file = _open(shown)
    size = 0
    while chunk := stream.read(2**20):
        size += len(chunk)
        if size > limit:
            raise DataProblem(
                "NN0702", f"{shown} has more than {limit >> 30} GiB, and is read no further", file_span(shown),
                help="save it as a file first, and name that with `--data`",
            )  # fmt: skip
        try:
            file.write(chunk)
        except OSError as error:
            raise _full(shown, error) from None
    try:
        file.flush()
    except OSError as error:
        raise _full(shown, error) from None
    return file


def folder() -> str:
    """Where such files lie: `TMPDIR`, or /var/tmp, since /tmp is a part of the memory on many machines."""
    if not any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")) and os.access("/var/tmp", os.W_OK):
        return "/var/tmp"
    return tempfile.gettempdir()


def _open(shown: str) -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(dir=folder())
    except OSError as error:
        raise _full(shown, error) from None


def _full(shown: str, error: OSError) -> DataProblem:
    reason = error.strerror or str(error)
    return DataProblem(
        "NN0702",
        f"the numbers of {shown} do not fit into a file in {folder()}: {reason[:1].lower()}{reason[1:]}",
        file_span(shown),
        help="make room there, or name another folder in the environment variable `TMPDIR`",
    )
