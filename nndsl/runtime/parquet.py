"""Parquet files: tables in columns, read in batches, with the row and column of everything that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nndsl.runtime.arrays import regular
from nndsl.runtime.column_names import Columns, WithColumns
from nndsl.runtime.report import DataProblem, Unavailable, file_span, unreadable
from nndsl.runtime.scratch import Array, Growing
from nndsl.runtime.tables import MAX_COLUMNS, MAX_TEXT
from nndsl.source import Span

BATCH = 65_536
"""Rows that are read at a time, fewer where a row is large."""
BATCH_BYTES = 64 * 2**20


class ParquetTable(WithColumns):
    """One file. `rows` is how many rows it has. Raises DataProblem, Unavailable."""

    def __init__(self, path: str, shown: str) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise Unavailable(
                f"{shown} is a parquet file, which pyarrow reads, and that is not installed",
                "install it: pip install 'nndsl[data]'",
            ) from None
        regular(path, shown)
        self.shown = shown
        self._errors = (pa.ArrowException, OSError, ValueError, OverflowError, KeyError)
        try:
            self._file = pq.ParquetFile(path, pre_buffer=False, page_checksum_verification=True)
            self._schema = self._file.schema_arrow
        except self._errors as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise unreadable(shown, error) from None
            raise DataProblem(
                "NN0607", f"{shown} is not a parquet file, or a damaged one", file_span(shown),
                help="`table.to_parquet(file)` of pandas writes one",
            ) from None  # fmt: skip
        self.names = list(self._schema.names)
        self.width = len(self.names)
        self.rows = self._file.metadata.num_rows
        if self.width > MAX_COLUMNS:
            raise DataProblem("NN0702", f"{shown} has more than {MAX_COLUMNS:,} columns", file_span(shown))
        if self.rows == 0 or self.width == 0:
            raise DataProblem("NN0607", f"{shown} holds no row of data", file_span(shown))

    # -------------------------------------------------------------------------------------- numbers

    def take(self, key: Columns, span: Span) -> Array:
        """The columns as [rows] for one, [rows, n] for several, [rows, n, …] for one of lists. Raises DataProblem."""
        rows = Growing(self.shown)
        row: tuple[int, ...] | None = None
        for chunk in self.chunks(key, span):
            row = row or chunk.shape
            if chunk.shape[1:] != row[1:]:
                raise self._unequal(key, span, rows.rows, chunk.shape[1], row[1])
            rows.add(chunk)
        if rows.rows != self.rows:
            raise self._damaged()
        return rows.done()

    def chunks(self, key: Columns, span: Span) -> Iterator[Array]:
        """The same in parts of bounded size, in one dtype. Raises DataProblem."""
        numbers, one = self.numbers(key, span)
        dtypes = [self._dtype(number, span, alone=one) for number in numbers]
        dtype = np.result_type(*dtypes)
        first = 0
        for batch in self._batches(numbers):
            columns = [self._numbers(batch.column(place), number, first, span) for place, number in enumerate(numbers)]
            yield (columns[0] if one else np.stack(columns, 1)).astype(dtype, copy=False)
            first += len(batch)

    def _batches(self, numbers: list[int]) -> Iterator[Any]:
        """Record batches with the columns in the order of `numbers`. Raises DataProblem."""
        import pyarrow as pa

        groups = self._file.metadata.num_row_groups
        size = sum(self._file.metadata.row_group(group).total_byte_size for group in range(groups))
        rows = max(min(BATCH, BATCH_BYTES * self.rows // max(size, 1)), 1)
        assert self.names is not None
        names = [self.names[number] for number in numbers]
        # of several columns of one name pyarrow gives all, in the order of the file
        before = [self.names[:number].count(self.names[number]) for number in numbers]
        try:
            for batch in self._file.iter_batches(batch_size=rows, columns=list(dict.fromkeys(names))):
                batch.validate(full=True)  # a hostile file may point beyond its own text
                found = [
                    [place for place, other in enumerate(batch.schema.names) if other == name][nth]
                    for name, nth in zip(names, before, strict=True)
                ]
                yield pa.record_batch([batch.column(place) for place in found], names=[*map(str, numbers)])
        except MemoryError:
            raise DataProblem("NN0702", f"{self.shown} does not fit into the memory", file_span(self.shown)) from None
        except self._errors:
            raise self._damaged() from None

    def _dtype(self, number: int, span: Span, *, alone: bool) -> np.dtype[Any]:
        """The dtype of the numbers of a column. Raises DataProblem where it holds none."""
        import pyarrow as pa

        kind = self._schema.field(number).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if _is_list(kind):
            if not alone:
                raise self._wrong(number, span, "holds lists", "take this column alone, or name the others by number")
            kind = kind.value_type
        if pa.types.is_boolean(kind):
            return np.dtype(np.uint8)
        if pa.types.is_decimal(kind):
            return np.dtype(np.float64)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            dtype: np.dtype[Any] = np.dtype(kind.to_pandas_dtype())
            return dtype
        if _is_text(kind) and not _is_list(self._schema.field(number).type):
            raise self._wrong(
                number,
                span,
                "holds words",
                "make class ids of them with `-> classes()`, or word ids with `-> tokens(…)`",
            )
        if pa.types.is_temporal(kind):
            help = "make numbers of times before, such as the hour of the day"
        else:
            help = "save it as numbers"
        raise self._wrong(number, span, f"holds {kind}, not numbers", help)

    def _numbers(self, column: Any, number: int, first: int, span: Span) -> Array:
        """The values of one column of a batch whose first row is `first`: [rows], or [rows, n] of lists."""
        import pyarrow as pa

        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        self._refuse_nulls(column, number, first, span)
        if _is_list(column.type):
            flat = self._flat(column, number, first, span)
            lengths = self._lengths(column)
            size = int(lengths[0])
            wrong = np.flatnonzero(lengths != size)
            if len(wrong):
                raise self._unequal(number, span, first + int(wrong[0]), int(lengths[wrong[0]]), size)
            if size == 0:
                raise self._wrong(number, span, "holds empty lists", "leave it out")
            return self._plain(flat).reshape(len(column), size)
        return self._plain(column)

    def _plain(self, column: Any) -> Array:
        import pyarrow as pa

        if pa.types.is_decimal(column.type):
            column = column.cast(pa.float64())
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.uint8())
        values: Array = column.to_numpy(zero_copy_only=False)
        return values

    # ------------------------------------------------------------------------------- text and lists

    def text(self, key: Columns, span: Span) -> Array:
        """A column of words as [rows] of StringDType; numbers as they are written. Raises DataProblem."""
        import pyarrow as pa

        number = self.text_number(key, span)
        parts: list[Array] = []
        first = size = 0
        for batch in self._batches([number]):
            column = batch.column(0)
            if pa.types.is_dictionary(column.type):
                column = column.dictionary_decode()
            if not (_is_text(column.type) or pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)):
                raise self._wrong(number, span, f"holds {column.type}, not words", "numbers go in as they are")
            self._refuse_nulls(column, number, first, span)
            size += column.nbytes
            if size > MAX_TEXT:
                raise self._wrong(number, span, f"holds more than {MAX_TEXT >> 30} GiB of text", None, "NN0702")
            parts.append(np.array([str(value) for value in column.to_pylist()], np.dtypes.StringDType()))
            first += len(batch)
        if first != self.rows:
            raise self._damaged()
        return np.concatenate(parts)

    def lists(self, key: Columns, span: Span) -> Array:
        """A column of lists as [rows] of arrays, where their lengths differ; other columns as `take` gives them."""
        numbers, one = self.numbers(key, span)
        if not one or not _is_list(self._schema.field(numbers[0]).type):
            return self.take(key, span)
        dtype = self._dtype(numbers[0], span, alone=True)
        result = np.empty(self.rows, object)
        first = size = 0
        for batch in self._batches(numbers):
            column = batch.column(0)
            self._refuse_nulls(column, numbers[0], first, span)
            flat = self._flat(column, numbers[0], first, span)
            size += flat.nbytes
            if size > MAX_TEXT:
                raise self._wrong(numbers[0], span, f"holds more than {MAX_TEXT >> 30} GiB of lists", None, "NN0702")
            if first + len(column) > self.rows:
                raise self._damaged()
            ends = np.cumsum(self._lengths(column))
            for row, part in enumerate(np.split(self._plain(flat).astype(dtype, copy=False), ends[:-1])):
                result[first + row] = part
            first += len(column)
        if first != self.rows:
            raise self._damaged()
        return result

    def _lengths(self, column: Any) -> Array:
        if hasattr(column, "value_lengths"):
            lengths: Array = column.value_lengths().to_numpy(zero_copy_only=False)
            return lengths
        return np.full(len(column), column.type.list_size)

    def _flat(self, column: Any, number: int, first: int, span: Span) -> Any:
        """The values of all lists of a batch. Raises DataProblem where one is missing."""
        flat = column.flatten()
        if flat.null_count:
            place = int(np.flatnonzero(flat.is_null().to_numpy(zero_copy_only=False))[0])
            row = int(np.searchsorted(np.cumsum(self._lengths(column)), place, side="right"))
            raise self._missing(first + row, number, "holds a missing value (null)", span)
        return flat

    # --------------------------------------------------------------------------------------- errors

    def _refuse_nulls(self, column: Any, number: int, first: int, span: Span) -> None:
        if column.null_count:
            row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
            raise self._missing(first + row, number, "is missing (null)", span)

    def _missing(self, row: int, number: int, says: str, span: Span) -> DataProblem:
        return DataProblem(
            "NN0606", f"row {row}, {self.title(number)} of {self.shown} {says}", span,
            help="fill the gap, or leave the row out",
        )  # fmt: skip

    def _unequal(self, key: Columns, span: Span, row: int, here: int, first: int) -> DataProblem:
        number = self.numbers(key, span)[0][0]
        return self._wrong(
            number, span, f"holds lists of unequal length: {first} in row 0 and {here} in row {row}",
            "bring them to one length: `-> pad(100)`",
        )  # fmt: skip

    def _wrong(self, number: int, span: Span, says: str, help: str | None, code: str = "NN0605") -> DataProblem:
        return DataProblem(code, f"{self.title(number)} of {self.shown} {says}", span, help=help)

    def _damaged(self) -> DataProblem:
        return DataProblem(
            "NN0607", f"{self.shown} is damaged", file_span(self.shown), help="write the file anew, or fetch it again"
        )


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
