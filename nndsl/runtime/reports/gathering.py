"""Outputs judged batch by batch: counts and sums grow, the predictions themselves are let go."""

from __future__ import annotations

from nndsl.runtime.reports.confusion import Confusion, confusion_of
from nndsl.runtime.reports.judged import Array, Judged
from nndsl.runtime.reports.regression import Column, columns_of


class Gathering:
    """One output with a loss over held-out data of any size, at a bounded memory: what `Judged` is, in parts.

    `confusion` and `columns` are what `confusion_of` and `columns_of` would say of all batches at once, but that of
    more than `MOST_KEPT` points of a regression some are kept alone.
    """

    def __init__(
        self,
        output: str,
        loss: str,
        classes: list[str] | None = None,
        *,
        from_logits: bool = False,
        ignore_class: int | None = None,
    ) -> None:
        self.output, self.loss, self.classes = output, loss, classes
        self.from_logits, self.ignore_class = from_logits, ignore_class
        self.confusion: Confusion | None = None
        self._columns: list[Column] | None = None
        self._classifies = self._compares = True

    @property
    def columns(self) -> list[Column] | None:
        """None for a classifier."""
        return self._columns if self.confusion is None else None

    def add(self, prediction: Array, target: Array, mask: Array | None = None) -> None:
        """Takes a batch, [samples, …] each, as in `Judged`."""
        if not len(prediction):
            return
        batch = Judged(
            self.output, prediction, target, self.loss, self.classes, self.from_logits, self.ignore_class, mask
        )
        if self._classifies:
            self._classify(confusion_of(batch))
        if self._compares:
            self._compare(columns_of(batch))

    def _classify(self, found: Confusion | None) -> None:
        """One batch with targets that are no classes, and none are; nor where the number of classes is not fixed."""
        before = self.confusion
        if found is not None and before is not None:
            same = (before.names, before.labels) == (found.names, found.labels)
            found = before.joined(found) if same else None
        self._classifies, self.confusion = found is not None, found

    def _compare(self, found: list[Column] | None) -> None:
        before = self._columns
        if found is not None and before is not None:
            same = len(before) == len(found)
            found = [own.joined(new) for own, new in zip(before, found, strict=True)] if same else None
        self._compares = found is not None
        self._columns = None if found is None else [column.bounded() for column in found]
