"""NumPy archives (.npz): arrays by name, never objects, never more than fits."""

from __future__ import annotations

import zipfile
import zlib
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nndsl.diagnostics.model import Label
from nndsl.diagnostics.suggest import did_you_mean
from nndsl.runtime.report import DataProblem, file_span
from nndsl.runtime.tables import unreadable
from nndsl.source import Span

Array: TypeAlias = npt.NDArray[np.generic]

MAX_BYTES = 64 * 2**30


class Archive:
    """One .npz file. `names` are those of its arrays. Raises DataProblem."""

    def __init__(self, path: str, shown: str) -> None:
        self.path, self.shown = path, shown
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except OSError as error:
            raise unreadable(shown, error) from None
        except (zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError):
            raise DataProblem(
                "NN0607", f"{shown} is not an .npz archive", file_span(shown),
                help="`numpy.savez(file, x=x, y=y)` writes one" + self._looks_like(),
            ) from None  # fmt: skip
        self.sizes = {entry.filename.removesuffix(".npy"): entry.file_size for entry in entries}
        self.names = list(self.sizes)

    def _looks_like(self) -> str:
        try:
            with open(self.path, "rb") as stream:
                head = stream.read(6)
        except OSError:
            return ""
        return "; this is a single array (.npy)" if head == b"\x93NUMPY" else ""

    def take(self, name: str, span: Span) -> Array:
        """The array [rows, …] of that name, numbers or booleans. `span` is where it is asked for."""
        place = Label(span, "asked for here") if span.file.text else None
        related = (place,) if place else ()
        if name not in self.sizes:
            shown = ", ".join(f"`{n}`" for n in self.names[:12]) + (", …" if len(self.names) > 12 else "")
            raise DataProblem(
                "NN0604", f"{self.shown} has no array `{name}`", span, "not an array of the file",
                help=did_you_mean(name, self.names) or (f"it has {shown}" if shown else "it is empty"),
            )  # fmt: skip
        what = f"the array `{name}` of {self.shown}"
        if self.sizes[name] > MAX_BYTES:
            raise DataProblem(
                "NN0702", f"{what} has more than {MAX_BYTES >> 30} GiB", file_span(self.shown), related=related
            )
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                array: Array = archive[name]
                if not isinstance(array, np.ndarray):  # NumPy gives the bytes of an entry that is no array
                    raise ValueError("not an array")
        except OSError as error:
            raise unreadable(self.shown, error) from None
        except MemoryError:
            raise DataProblem(
                "NN0702", f"{what} does not fit into the memory", file_span(self.shown), related=related
            ) from None
        except (
            ValueError,
            KeyError,
            EOFError,
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            TypeError,
        ) as error:
            if str(error).startswith("Object arrays"):
                message = f"{what} holds Python objects, which are never loaded: they could run code"
                help = "save numbers: `numpy.savez(file, x=x.astype(float))`; rows of unequal length need padding"
            else:
                message, help = f"{what} is damaged", "write the file anew, or fetch it again"
            raise DataProblem("NN0607", message, file_span(self.shown), related=related, help=help) from None
        if array.dtype.kind not in "biuf":
            raise DataProblem(
                "NN0605", f"{what} holds no numbers, but {array.dtype}", file_span(self.shown), related=related,
                help="give words numbers before: 0, 1, 2, …",
            )  # fmt: skip
        if array.ndim == 0:
            raise DataProblem(
                "NN0605",
                f"{what} is a single number, not a row for each sample",
                file_span(self.shown),
                related=related,
            )
        if 0 in array.shape[1:]:  # such an array claims any number of rows, and takes no room
            raise DataProblem(
                "NN0605", f"{what} has rows without a number: its shape is {list(array.shape)}",
                file_span(self.shown), related=related,
            )  # fmt: skip
        return array
