"""Which columns of a table are meant: by number, by name, as a range or a list."""

from __future__ import annotations

from typing import TypeAlias

from nndsl.diagnostics.suggest import did_you_mean
from nndsl.runtime.report import DataProblem, listed
from nndsl.source import Span

Columns: TypeAlias = None | str | int | slice | tuple[int | str, ...]


class WithColumns:
    """Base of tables. `shown` is what messages call it, `width` how many columns it has, `names` their names, or None
    where they have none."""

    shown: str
    width: int
    names: list[str] | None

    def hint(self) -> str | None:
        """What to say to someone who asks for a column that is not there, where there is more to say than which are."""
        return None

    def numbers(self, key: Columns, span: Span) -> tuple[list[int], bool]:
        """The numbers of the columns, and whether one alone is meant. Raises DataProblem (NN0604)."""
        if key is None:
            return list(range(self.width)), False
        if isinstance(key, slice):
            if key.stop is not None and key.stop > self.width:
                raise self._no_column(key.stop - 1, span)
            found = list(range(*key.indices(self.width)))
            if not found:
                raise DataProblem("NN0604", f"this range holds none of the {self.width} columns of {self.shown}", span)
            return found, False
        if isinstance(key, tuple):
            return [self._number(item, span) for item in key], False
        return [self._number(key, span)], True

    def text_number(self, key: Columns, span: Span) -> int:
        """The number of the one column that text is read from. Raises DataProblem."""
        numbers, _ = self.numbers(key, span)
        if len(numbers) > 1:
            raise DataProblem(
                "NN0605", f"text is one column, and these are {len(numbers)}", span,
                help="name the column of the text: `table.review`, `table[3]`",
            )  # fmt: skip
        return numbers[0]

    def _number(self, item: int | str, span: Span) -> int:
        if isinstance(item, int):
            if not -self.width <= item < self.width:
                raise self._no_column(item, span)
            return item % self.width
        assert self.names is not None
        if self.names.count(item) > 1:
            raise DataProblem(
                "NN0604", f"{self.shown} has {self.names.count(item)} columns called `{item}`", span,
                help=f"take it by number: the first is column {self.names.index(item)}",
            )  # fmt: skip
        if item not in self.names:
            raise DataProblem(
                "NN0604", f"{self.shown} has no column `{item}`", span, "not a column",
                help=did_you_mean(item, self.names) or f"its columns are {listed(self.names)}",
            )  # fmt: skip
        return self.names.index(item)

    def _no_column(self, number: int, span: Span) -> DataProblem:
        help = self.hint()
        if help is None:
            help = f"its columns are 0 to {self.width - 1}" if self.width > 1 else "its only column is 0"
        return DataProblem(
            "NN0604", f"{self.shown} has {self.width} column{'' if self.width == 1 else 's'}, and none with the number "
            f"{number}", span, help=help,
        )  # fmt: skip

    def title(self, column: int) -> str:
        """`column 3 (`age`)`"""
        return f"column {column}" + (f" (`{self.names[column]}`)" if self.names else "")
