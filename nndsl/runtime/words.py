"""Text and lists on their way into a model: word ids, class ids, rows of one length.

Text is an array of NumPy's StringDType, [rows]; lists of unequal length are an array of objects, [rows], each a number
array of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from nndsl.diagnostics.suggest import did_you_mean
from nndsl.layers.families.word_transforms import PADDING, UNKNOWN
from nndsl.runtime.report import listed
from nndsl.runtime.transforms import Array, Step, StepError, step

_PUNCTUATION = dict.fromkeys(map(ord, "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"))
"""What Keras's TextVectorization takes out."""
MOST_WORDS = 5_000_000


@step
class TokensStep(Step):
    """Text as word ids, [rows] → [rows, length] of int32. `words` are those of the vocabulary, the first has id 2."""

    name = "tokens"
    learns = True

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        self.most: int | None = settings["max_tokens"]
        self.standardize, self.split = settings["standardize"], settings["split"]
        self.length = None if settings["length"] is None else int(settings["length"])
        self.words = [str(word) for word in settings.get("words", ())]
        self.ids = {word: number for number, word in enumerate(self.words, UNKNOWN + 1)}
        if self.length is not None and not 1 <= self.length <= 1_000_000:
            raise ValueError("not a length")

    def tokens(self, text: str) -> list[str]:
        """What the text consists of."""
        if self.standardize in ("lower", "lower_and_strip_punctuation"):
            text = text.lower()
        if self.standardize in ("strip_punctuation", "lower_and_strip_punctuation"):
            text = text.translate(_PUNCTUATION)
        return list(text) if self.split == "character" else text.split()

    def learn(self, chunks: Iterable[Array]) -> None:
        """The most frequent words; of equally frequent ones the last in the alphabet first, as Keras counts them."""
        counts: Counter[str] = Counter()
        longest = 0
        for chunk in chunks:
            for text in _texts(chunk, self.name):
                found = self.tokens(text)
                longest = max(longest, len(found))
                counts.update(found)
            if len(counts) > MOST_WORDS:
                raise StepError(
                    f"has more than {MOST_WORDS:,} different words", help="`split=character` has fewer", code="NN0702"
                )
        if not counts:
            raise StepError("has no word in the training part", help="is this the column of the text?")
        ranked = sorted(counts.items(), key=lambda item: (item[1], item[0].encode()), reverse=True)
        most = None if self.most is None else self.most - UNKNOWN - 1
        self.words = [word for word, _ in ranked[:most]]
        self.ids = {word: number for number, word in enumerate(self.words, UNKNOWN + 1)}
        if self.length is None:
            self.length = min(longest, 1_000_000)

    def apply(self, values: Array) -> Array:
        assert self.length is not None
        result = np.full((len(values), self.length), PADDING, np.int32)
        for row, text in enumerate(_texts(values, self.name)):
            found = self.tokens(text)[: self.length]
            result[row, : len(found)] = [self.ids.get(word, UNKNOWN) for word in found]
        return result

    def record(self) -> dict[str, Any]:
        return {
            "max_tokens": self.most,
            "length": self.length,
            "standardize": self.standardize,
            "split": self.split,
            "words": self.words,
        }


@step
class ClassesStep(Step):
    """Names of classes as ids, [rows] → [rows] of int64."""

    name = "classes"
    learns = True

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        self.given = settings["names"] is not None
        self.names = [str(name) for name in settings["names"] or ()]
        self.ids = {name: number for number, name in enumerate(self.names)}

    def learn(self, chunks: Iterable[Array]) -> None:
        if self.given:
            return
        found = {text.strip() for chunk in chunks for text in _texts(chunk, self.name)} - {""}
        self.names = sorted(found, key=float) if all(_is_number(name) for name in found) else sorted(found)
        self.ids = {name: number for number, name in enumerate(self.names)}

    def apply(self, values: Array) -> Array:
        result = np.empty(len(values), np.int64)
        for row, text in enumerate(_texts(values, self.name)):
            name = text.strip()
            number = self.ids.get(name)
            if number is None:
                raise self._unknown(name, row)
            result[row] = number
        return result

    @property
    def class_names(self) -> list[str]:
        return self.names

    def _unknown(self, name: str, row: int) -> StepError:
        if not name:
            return StepError("is empty, and names no class", (row,), "fill the gap, or leave the row out")
        if self.given:
            return StepError(
                f"is `{name[:40]}`, which is none of the named classes", (row,),
                did_you_mean(name, self.names) or f"they are {listed(self.names)}",
            )  # fmt: skip
        return StepError(
            f"is `{name[:40]}`, a class that the training part does not have", (row,),
            did_you_mean(name, self.names)
            or "name all classes: `classes([\"…\", \"…\"])`, or give more rows of this class",
        )  # fmt: skip

    def record(self) -> dict[str, Any]:
        return {"names": self.names}


@step
class PadStep(Step):
    """Rows of one length: lists of any length, or [rows, n, …], become [rows, length, …]."""

    name = "pad"

    def __init__(self, settings: Mapping[str, Any], dtype: str) -> None:
        super().__init__(settings, dtype)
        self.length, self.value = int(settings["length"]), float(settings["value"])
        self.padding, self.truncating = settings["padding"], settings["truncating"]
        if not 1 <= self.length <= 1_000_000:
            raise ValueError("not a length")

    def apply(self, values: Array) -> Array:
        if values.dtype.kind != "O" and values.ndim == 1:
            raise StepError("has one number a row, and `pad` makes lists longer", code="NN0605")
        lists = values.dtype.kind == "O"
        dtype = np.result_type(*{item.dtype for item in values}) if lists and len(values) else values.dtype
        if lists and not len(values):
            dtype = np.dtype(np.float64)
        if dtype.kind in "biu":
            dtype = np.dtype(np.int64) if self.value.is_integer() else np.dtype(np.float64)
        result = np.full((len(values), self.length, *values.shape[2:]), self.value, dtype)
        if not lists:
            kept = self._kept(values.shape[1], 0)
            result[:, self._place(kept)] = self._part(values, kept, 1)
            return result
        for row, item in enumerate(values):
            kept = self._kept(len(item), row)
            result[row, self._place(kept)] = self._part(item, kept, 0)
        return result

    def _kept(self, have: int, row: int) -> int:
        """How many numbers of a row stay."""
        if have > self.length and self.truncating is None:
            raise StepError(
                f"has {have:,} numbers, more than `pad({self.length}, truncating=none)` takes", (row,),
                f"take `pad({have})`, or leave `truncating=none` out",
            )  # fmt: skip
        return min(have, self.length)

    def _place(self, kept: int) -> slice:
        return slice(self.length - kept, None) if self.padding == "pre" else slice(0, kept)

    def _part(self, values: Array, kept: int, axis: int) -> Array:
        have = values.shape[axis]
        part = slice(have - kept, None) if self.truncating == "pre" else slice(0, kept)
        return values[part] if axis == 0 else values[:, part]

    def record(self) -> dict[str, Any]:
        return {
            "length": self.length,
            "value": self.value,
            "padding": self.padding,
            "truncating": self.truncating,
        }


def _texts(values: Array, name: str) -> Iterable[str]:
    """The texts of [rows] or [rows, 1]. Raises StepError where they are numbers."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise StepError(f"has {values.shape[1]} columns, and `{name}` reads one", code="NN0605")
    if values.dtype.kind not in "TU":
        raise StepError(f"holds numbers, and `{name}` reads text", code="NN0605")
    return map(str, values)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
