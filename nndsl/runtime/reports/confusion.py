"""How often each class was taken for which: counts, and precision, recall and F1 of each class."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nndsl.runtime.reports.judged import Array, Bools, Ids, Judged

MOST_CLASSES = 1000
"""A matrix of more has no use as a picture, and with a vocabulary as classes no room in memory."""
MOST_LABELS = 100

_BINARY = ("binary_", "hinge", "squared_hinge")
_CATEGORICAL = ("categorical_", "sparse_categorical_")
_EITHER = ("dice", "tversky", "kl_divergence")


@dataclass(frozen=True)
class Confusion:
    """Counts of a classifier over `samples` decisions (steps of sequences count one by one).

    `support`, `claimed` and `right` [classes] say how often a class was there, predicted, and both; `matrix`
    [classes, classes] has true classes as rows, and is None where there are more than `MOST_CLASSES`, and for `labels`:
    several yes-or-no outputs, of which each has its own counts and any number may be there at once. `left_out` counts
    what was not judged, by reason.
    """

    names: list[str]
    support: Ids
    claimed: Ids
    right: Ids
    samples: int
    matrix: Ids | None = None
    labels: bool = False
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """The share of right decisions; of labels, over all of them."""
        if not self.samples:
            return float("nan")
        if self.labels:
            wrong = (self.support - self.right) + (self.claimed - self.right)
            return 1 - float(wrong.sum()) / (self.samples * len(self.names))
        return float(self.right.sum()) / self.samples

    def joined(self, more: Confusion) -> Confusion:
        """With the decisions on more rows of the same output."""
        reasons = {**self.left_out, **more.left_out}
        return Confusion(
            self.names,
            self.support + more.support,
            self.claimed + more.claimed,
            self.right + more.right,
            self.samples + more.samples,
            None if self.matrix is None or more.matrix is None else self.matrix + more.matrix,
            self.labels,
            {reason: self.left_out.get(reason, 0) + more.left_out.get(reason, 0) for reason in reasons},
        )

    @property
    def precision(self) -> Array:
        """[classes]: of what was predicted as a class, the share that was it; nan where it was never predicted."""
        return share(self.right, self.claimed)

    @property
    def recall(self) -> Array:
        """[classes]: of what was a class, the share that was predicted so; nan where there was none."""
        return share(self.right, self.support)

    @property
    def f1(self) -> Array:
        """[classes]: the harmonic mean of both; nan where a class neither was there nor was predicted."""
        return share(2 * self.right, self.support + self.claimed)


def confusion_of(judged: Judged) -> Confusion | None:
    """The counts, or None where the loss or the targets are not those of a classifier."""
    found = _decisions(judged)
    if found is None:
        return None
    truth, guess, classes, left_out = found
    names = [judged.name_of(place) for place in range(classes)]
    if truth.ndim == 2:
        support, claimed, right = (side.sum(axis=0) for side in (truth, guess, truth & guess))
        return Confusion(names, support, claimed, right, len(truth), labels=True, left_out=left_out)
    support, claimed, right = (
        np.bincount(side, minlength=classes) for side in (truth, guess, truth[truth == guess])
    )  # fmt: skip
    matrix = None
    if classes <= MOST_CLASSES:
        matrix = np.bincount(truth * classes + guess, minlength=classes * classes).reshape(classes, classes)
    return Confusion(names, support, claimed, right, len(truth), matrix, left_out=left_out)


def _decisions(judged: Judged) -> tuple[Ids, Ids, int, dict[str, int]] | None:
    """True classes and predicted ones [decisions], how many classes there are, and what was left out. Of labels both
    are [samples, labels] of 0 and 1."""
    loss, prediction, target = judged.loss, judged.prediction, judged.target
    width = prediction.shape[-1] if prediction.ndim > 1 else 1
    if not len(prediction) or not loss.startswith((*_BINARY, *_CATEGORICAL, *_EITHER)):
        return None
    if loss.startswith(_BINARY) or (width == 1 and not loss.startswith(_CATEGORICAL)):
        return _yes_or_no(judged, width)
    shape = prediction.shape[:-1]
    finite = np.isfinite(prediction).all(axis=-1)
    guess = np.argmax(prediction, axis=-1)
    if target.shape == prediction.shape and width > 1:
        rows = target.reshape(-1, width)
        if loss.startswith(_EITHER) and not _one_hot(rows):
            return None
        truth, there = np.argmax(target, axis=-1), np.isfinite(target).all(axis=-1) & (target != 0).any(axis=-1)
    elif target.size == int(np.prod(shape)):
        ids = target.reshape(shape)
        there = np.isfinite(ids) & (ids >= 0) & (ids < width)
        truth = np.where(there, ids, 0).astype(np.intp)
    else:
        return None
    if judged.ignore_class is not None:
        there = there & (truth != judged.ignore_class)
    keep, left_out = _kept(judged, there, finite)
    return truth[keep].astype(np.intp), guess[keep].astype(np.intp), width, left_out


def _yes_or_no(judged: Judged, width: int) -> tuple[Ids, Ids, int, dict[str, int]] | None:
    """Both sides of outputs between 0 and 1 (or, of a hinge or of logits, around 0)."""
    prediction, target = judged.prediction, judged.target
    if target.size != prediction.size:
        return None
    target = target.reshape(prediction.shape)
    if not np.isin(target[np.isfinite(target)], (-1, 0, 1)).all():
        return None  # grey values as targets: no classes
    middle = 0.0 if judged.from_logits or "hinge" in judged.loss else 0.5
    truth, guess = (target > 0).astype(np.intp), (prediction > middle).astype(np.intp)
    there, finite = np.isfinite(target), np.isfinite(prediction)
    if prediction.ndim == 2 and 1 < width <= MOST_LABELS:
        keep, left_out = _kept(judged, there.all(axis=-1), finite.all(axis=-1))
        return truth[keep], guess[keep], width, left_out
    if width == 1 and prediction.ndim > 1:
        truth, guess, there, finite = (side[..., 0] for side in (truth, guess, there, finite))
    if judged.ignore_class is not None:
        there = there & (truth != judged.ignore_class)
    keep, left_out = _kept(judged, there, finite)
    return truth[keep], guess[keep], 2, left_out


def _kept(judged: Judged, there: Bools | np.bool_, finite: Bools | np.bool_) -> tuple[Bools, dict[str, int]]:
    """Which decisions count, and how many do not, by reason."""
    there, finite = np.asarray(there), np.asarray(finite)
    inside = there
    if judged.mask is not None and judged.mask.size == there.size:
        inside = there & judged.mask.reshape(there.shape).astype(bool)
    counts = {
        "without a class, or masked": int((~inside).sum()),
        "whose prediction is no number": int((inside & ~finite).sum()),
    }
    return inside & finite, {reason: count for reason, count in counts.items() if count}


def _one_hot(rows: Array) -> bool:
    return bool(np.isin(rows, (0, 1)).all() and (rows.sum(axis=-1) == 1).all())


def share(part: Ids, whole: Ids) -> Array:
    """Part by whole, nan where the whole is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: Array = np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
    return shares
