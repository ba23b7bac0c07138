"""NumPy archives (.npz): arrays by name, never objects, never more than fits."""

from __future__ import annotations

import struct
import zipfile
import zlib
from math import prod
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.diagnostics.model import Label
from nndsl.diagnostics.suggest import did_you_mean
from nndsl.runtime.arrays import Damaged, MappedFile, numbers_of, problem_of, read_header, regular
from nndsl.runtime.report import DataProblem, file_span, listed, unreadable
from nndsl.runtime.scratch import Growing
from nndsl.source import Span

Array: TypeAlias = npt.NDArray[Any]

MAX_UNPACKED = 4 * 2**30
"""How many bytes an array that is compressed may have: a small file can claim any number."""
MAP_FROM = 16 * 2**20
"""From how many bytes on an array that is not compressed is read through a map; smaller ones are read and compared with
their checksum."""
PIECE = 8 * 2**20  # a multiple of all sizes of numbers
BROKEN = (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, TypeError)
"""What the standard library raises of bytes that are no archive."""


class Archive:
    """One .npz file. `names` are those of its arrays, `maps` the files that are mapped. Raises DataProblem."""

    def __init__(self, path: str, shown: str) -> None:
        self.path, self.shown = path, shown
        self.maps: list[MappedFile] = []
        regular(path, shown)
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except OSError as error:
            raise unreadable(shown, error) from None
        except BROKEN:
            raise DataProblem(
                "NN0607", f"{shown} is not an .npz archive", file_span(shown),
                help="`numpy.savez(file, x=x, y=y)` writes one" + self._looks_like(),
            ) from None  # fmt: skip
        self.entries = {entry.filename.removesuffix(".npy"): entry for entry in entries}
        self.names = list(self.entries)

    def _looks_like(self) -> str:
        try:
            with open(self.path, "rb") as stream:
                head = stream.read(6)
        except OSError:
            return ""
        return "; this is a single array (.npy)" if head == b"\x93NUMPY" else ""

    def take(self, name: str, span: Span) -> Array:
        """The array [rows, …] of that name, numbers or booleans: a map of the file where it is large and not
        compressed. `span` is where it is asked for."""
        related = (Label(span, "asked for here"),) if span.file.text else ()
        if name not in self.entries:
            raise DataProblem(
                "NN0604", f"{self.shown} has no array `{name}`", span, "not an array of the file",
                help=did_you_mean(name, self.names)
                or (f"it has {listed(self.names)}" if self.names else "it is empty"),
            )  # fmt: skip
        what, entry = f"the array `{name}` of {self.shown}", self.entries[name]
        stored = entry.compress_type == zipfile.ZIP_STORED
        if not stored and entry.compress_type != zipfile.ZIP_DEFLATED:  # others may claim gigabytes to unpack with
            raise DataProblem(
                "NN0607", f"{what} is packed in a way that NumPy never does", file_span(self.shown), related=related,
                help="write it with `numpy.savez_compressed`",
            )  # fmt: skip
        if not stored and entry.file_size > MAX_UNPACKED:
            raise DataProblem(
                "NN0702", f"{what} has {entry.file_size / 2**30:.1f} GiB when it is unpacked, more than the "
                f"{MAX_UNPACKED / 2**30:g} GiB that are unpacked", file_span(self.shown), related=related,
                help="save it without compression (`numpy.savez`, or `numpy.save` into an .npy file): then it is read "
                "from where it lies",
            )  # fmt: skip
        try:
            array = self._map(entry) if stored and entry.file_size >= MAP_FROM else self._read(entry)
        except OSError as error:
            raise unreadable(self.shown, error) from None
        except MemoryError:
            raise DataProblem(
                "NN0702", f"{what} does not fit into the memory", file_span(self.shown), related=related
            ) from None
        except Damaged as damaged:
            raise problem_of(damaged, what, self.shown, related=related) from None
        except BROKEN:
            raise problem_of(Damaged(), what, self.shown, related=related) from None
        return numbers_of(array, what, self.shown, related)

    def _map(self, entry: zipfile.ZipInfo) -> Array:
        """An array that lies in the file as it is. Raises Damaged, OSError, and what BROKEN holds."""
        mapped = MappedFile(self.path, self.shown)
        with open(self.path, "rb") as stream:
            stream.seek(entry.header_offset)
            local = stream.read(30)
            if len(local) < 30 or local[:4] != b"PK\x03\x04" or entry.flag_bits & 1:
                raise Damaged("its entry does not begin where the archive says")
            name, extra = struct.unpack("<HH", local[26:30])
            start = entry.header_offset + 30 + name + extra
            stream.seek(start)
            header = read_header(stream)
            begin = stream.tell()
        shape, _, dtype = header
        if begin - start + prod(shape) * dtype.itemsize > entry.file_size:
            raise Damaged(f"it claims to have the shape {list(shape)}, which its entry does not hold")
        self.maps.append(mapped)
        return mapped.array(header, begin)

    def _read(self, entry: zipfile.ZipInfo) -> Array:
        """An array read whole: into the memory, or, where it is large, into a file without a name."""
        with zipfile.ZipFile(self.path) as archive, archive.open(entry) as stream:
            shape, fortran, dtype = read_header(stream)
            if prod(shape) * dtype.itemsize > entry.file_size:
                raise Damaged(f"it claims to have the shape {list(shape)}, which its entry does not hold")
            if 0 in shape or not shape or dtype.kind not in "biuf":
                return np.zeros(shape if 0 in shape or not shape else 1, dtype)  # refused soon
            numbers = Growing(self.shown)
            left = prod(shape) * dtype.itemsize
            while left:
                size = min(left, PIECE)
                numbers.add(np.frombuffer(_exactly(stream, size), dtype))
                left -= size
            stream.read(1)  # so that the checksum is compared
            return numbers.done().reshape(shape, order="F" if fortran else "C")


def _exactly(stream: IO[bytes], size: int) -> bytes:
    found = stream.read(size)
    if len(found) != size:
        raise Damaged("it ends too early")
    return found
