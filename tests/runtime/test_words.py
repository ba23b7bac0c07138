"""Text and lists as numbers: word ids, class ids, rows of one length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nndsl.runtime.transforms import Step, StepError, from_record, record_of
from nndsl.runtime.words import ClassesStep, PadStep, TokensStep

TEXTS = ["The cat sat, on the mat.", "the DOG!", "a cat; a dog?  a\tcow", "don't (stop)", "", "...", "zebra the apple"]


def texts(*found: str) -> Any:
    return np.array(found, np.dtypes.StringDType())


def tokens(**settings: Any) -> TokensStep:
    base = {"max_tokens": None, "length": None, "standardize": "lower_and_strip_punctuation", "split": "whitespace"}
    return TokensStep({**base, **settings}, "float32")


def pad(length: int, **settings: Any) -> PadStep:
    base = {"length": length, "value": 0.0, "padding": "pre", "truncating": "pre"}
    return PadStep({**base, **settings}, "float32")


def classes(names: list[str] | None = None) -> ClassesStep:
    return ClassesStep({"names": names}, "float32")


def test_the_most_frequent_word_is_2_and_unknown_words_are_1() -> None:
    step = tokens(max_tokens=4, length=4)
    step.learn([texts("b b b a a c")])
    assert step.words == ["b", "a"]
    assert step.apply(texts("a b c d e", "a", "")).tolist() == [[3, 2, 1, 1], [3, 0, 0, 0], [0, 0, 0, 0]]


def test_the_length_is_that_of_the_longest_training_text() -> None:
    step = tokens()
    step.learn([texts("one two"), texts("one two three")])
    assert step.apply(texts("one two three four")).shape == (1, 3)


def test_letters_of_all_scripts_are_written_small() -> None:
    step = tokens()
    step.learn([texts("ÜBER über Über")])
    assert step.words == ["über"]


def test_learnt_in_chunks_is_learnt_at_once() -> None:
    once, twice = tokens(), tokens()
    once.learn([texts(*TEXTS)])
    twice.learn([texts(text) for text in TEXTS])
    assert once.record() == twice.record()


def test_a_column_without_words_is_told() -> None:
    with pytest.raises(StepError, match="has no word in the training part"):
        tokens().learn([texts("...", "!")])


@pytest.mark.slow
@pytest.mark.parametrize("split", ["whitespace", "character"])
@pytest.mark.parametrize("standardize", ["lower_and_strip_punctuation", "lower", "strip_punctuation", None])
@pytest.mark.parametrize("most", [None, 6])
def test_ids_are_keras_s(split: str, standardize: str | None, most: int | None) -> None:
    import torch  # noqa: F401  before TensorFlow
    from keras.layers import TextVectorization

    theirs = TextVectorization(max_tokens=most, standardize=standardize, split=split, output_sequence_length=7)
    theirs.adapt(TEXTS)
    ours = tokens(max_tokens=most, standardize=standardize, split=split, length=7)
    ours.learn([texts(*TEXTS)])
    assert ["", "[UNK]", *ours.words] == theirs.get_vocabulary()
    fresh = [*TEXTS, "The unseen cat?", "UPPER lower"]
    assert ours.apply(texts(*fresh)).tolist() == np.asarray(theirs(fresh)).tolist()


def test_classes_are_sorted_as_words_or_as_numbers() -> None:
    step = classes()
    step.learn([texts("setosa ", "virginica"), texts("setosa", "versicolor")])
    assert step.names == ["setosa", "versicolor", "virginica"]
    assert step.apply(texts("virginica", " setosa")).tolist() == [2, 0]
    step.learn([texts("10", "9", "2")])
    assert step.names == ["2", "9", "10"]


def test_named_classes_keep_their_order() -> None:
    step = classes(["no", "yes"])
    step.learn([texts("yes", "yes")])
    assert step.apply(texts("yes", "no")).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("step", "text", "says", "help"),
    [
        (classes(["no", "yes"]), "yess", "is `yess`, which is none of the named classes", "yes"),
        (classes(["no", "yes"]), " ", "is empty, and names no class", "fill the gap"),
    ],
)
def test_unknown_classes(step: ClassesStep, text: str, says: str, help: str) -> None:
    with pytest.raises(StepError) as failed:
        step.apply(texts("no", text))
    assert failed.value.message == says and failed.value.index == (1,) and help in str(failed.value.help)


def test_a_class_that_only_held_out_rows_have() -> None:
    step = classes()
    step.learn([texts("a", "b")])
    with pytest.raises(StepError, match="is `c`, a class that the training part does not have"):
        step.apply(texts("a", "c"))


def lists(*found: list[int]) -> Any:
    result = np.empty(len(found), object)
    for row, item in enumerate(found):
        result[row] = np.array(item, np.int64)
    return result


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_padding(padding: str, truncating: str, value: float) -> None:
    found = pad(3, padding=padding, truncating=truncating, value=value).apply(lists([1], [], [1, 2, 3, 4], [5, 6, 7]))
    fill = int(value)
    short = [fill, fill, 1] if padding == "pre" else [1, fill, fill]
    assert found.tolist() == [short, [fill] * 3, [2, 3, 4] if truncating == "pre" else [1, 2, 3], [5, 6, 7]]
    assert found.dtype == np.int64


@pytest.mark.slow
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_padding_is_keras_s(padding: str, truncating: str) -> None:
    import torch  # noqa: F401  before TensorFlow
    from keras.utils import pad_sequences

    rows = [[1], [1, 2, 3, 4, 5], [], [7, 8, 9]]
    theirs = pad_sequences(rows, maxlen=3, padding=padding, truncating=truncating, value=4)
    ours = pad(3, padding=padding, truncating=truncating, value=4.0).apply(lists(*rows))
    assert ours.tolist() == theirs.tolist()


def test_rows_of_numbers_are_padded_too() -> None:
    values = np.arange(12.0).reshape(2, 3, 2)
    found = pad(4).apply(values)
    assert found.shape == (2, 4, 2) and (found[:, 0] == 0).all() and np.array_equal(found[:, 1:], values)
    assert pad(2, truncating="post").apply(values).tolist() == values[:, :2].tolist()


def test_longer_rows_can_be_an_error() -> None:
    with pytest.raises(StepError, match=r"has 3 numbers, more than `pad\(2, truncating=none\)` takes") as failed:
        pad(2, truncating=None).apply(lists([1], [1, 2, 3]))
    assert failed.value.index == (1,)


def learnt(step: Step) -> Step:
    step.learn([texts("b a a", "c")])
    return step


@pytest.mark.parametrize("step", [learnt(tokens(length=3)), learnt(classes()), pad(3, value=2.0)], ids=lambda s: s.name)
def test_records(step: Step) -> None:
    again = from_record(record_of(step), "float32")
    values = lists([1], [2, 3]) if step.name == "pad" else texts("c", "b a a")
    assert again.apply(values).tolist() == step.apply(values).tolist()
    assert again.record() == step.record()


@pytest.mark.parametrize(
    "record",
    [
        {"transform": "tokens", "max_tokens": None, "length": 10**9, "standardize": None, "split": "whitespace"},
        {"transform": "tokens", "length": 3},
        {"transform": "classes"},
        {"transform": "pad", "length": 0, "value": 0, "padding": "pre", "truncating": "pre"},
    ],
)
def test_damaged_records(record: dict[str, Any]) -> None:
    with pytest.raises(StepError, match="is damaged"):
        from_record(record, "float32")
