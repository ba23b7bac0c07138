"""The matching of layers along two graphs: it must find what is equal, and it must not find what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.parity_harness import keras  # torch goes before TensorFlow there
from tests.zoo.matching import Mismatch, match

layers = keras.layers
pytestmark = pytest.mark.keras


def _model(build: Callable[[Any], Any]) -> Any:
    image = keras.Input((8, 8, 3))
    return keras.Model(image, build(image))


def _names(one: Callable[[Any], Any], two: Callable[[Any], Any]) -> set[tuple[str, str]]:
    return {(own.name, other.name) for own, other in match(_model(one), _model(two))}


def test_names_order_of_making_and_order_of_a_sum_do_not_matter() -> None:
    def one(x: Any) -> Any:
        shortcut = layers.Conv2D(4, 1, name="s")(x)
        path = layers.Conv2D(4, 3, padding="same", activation="relu", name="p")(x)
        return layers.Add()([shortcut, layers.Conv2D(4, 3, padding="same", name="q")(path)])

    def two(x: Any) -> Any:
        h = layers.ReLU()(layers.Conv2D(4, 3, padding="same", name="a")(x))
        h = layers.Conv2D(4, 3, padding="same", name="b")(h)
        return 0.5 * h + layers.Conv2D(4, 1, name="c")(x)

    assert _names(one, two) == {("s", "c"), ("p", "a"), ("q", "b")}


def test_nested_models_are_looked_into() -> None:
    def one(x: Any) -> Any:
        inner = keras.Sequential([layers.Conv2D(4, 1, name="c"), layers.LayerNormalization(name="n")], name="inner")
        return layers.Dense(2, name="d")(inner(x))

    def two(x: Any) -> Any:
        return layers.Dense(2, name="z")(layers.LayerNormalization(name="y")(layers.Conv2D(4, 1, name="x")(x)))

    assert _names(one, two) == {("c", "x"), ("n", "y"), ("d", "z")}


def test_equal_arms_are_told_apart_by_what_follows() -> None:
    def one(x: Any) -> Any:
        a, b = layers.Conv2D(4, 3, name="a")(x), layers.Conv2D(4, 3, name="b")(x)
        return layers.Concatenate()([layers.Conv2D(2, 1, name="c")(a), layers.Conv2D(3, 1, name="d")(b)])

    def two(x: Any) -> Any:
        b, a = layers.Conv2D(4, 3, name="b2")(x), layers.Conv2D(4, 3, name="a2")(x)
        d, c = layers.Conv2D(3, 1, name="d2")(b), layers.Conv2D(2, 1, name="c2")(a)
        return layers.Concatenate()([c, d])

    assert _names(one, two) == {("a", "a2"), ("b", "b2"), ("c", "c2"), ("d", "d2")}


def _plain(x: Any) -> Any:
    a, b = layers.Conv2D(4, 1)(x), layers.Conv2D(4, 3, padding="same")(x)
    return layers.Concatenate()([a, layers.BatchNormalization()(b)])


def _swapped(x: Any) -> Any:
    a, b = layers.Conv2D(4, 1)(x), layers.Conv2D(4, 3, padding="same")(x)
    return layers.Concatenate()([layers.BatchNormalization()(b), a])


def _wider(x: Any) -> Any:
    a, b = layers.Conv2D(5, 1)(x), layers.Conv2D(4, 3, padding="same")(x)
    return layers.Concatenate()([a, layers.BatchNormalization()(b)])


def _layer_norm(x: Any) -> Any:
    a, b = layers.Conv2D(4, 1)(x), layers.Conv2D(4, 3, padding="same")(x)
    return layers.Concatenate()([a, layers.LayerNormalization()(b)])


def _three(x: Any) -> Any:
    a, b = layers.Conv2D(4, 1)(x), layers.Conv2D(4, 3, padding="same")(x)
    return layers.Concatenate()([a, layers.BatchNormalization()(b), x])


def _twice(x: Any) -> Any:
    conv = layers.Conv2D(3, 1)
    return layers.BatchNormalization()(conv(conv(x)))


def _once_each(x: Any) -> Any:
    return layers.BatchNormalization()(layers.Conv2D(3, 1)(layers.Conv2D(3, 1)(x)))


@pytest.mark.parametrize(
    ("one", "two"),
    [(_plain, _swapped), (_plain, _wider), (_plain, _layer_norm), (_plain, _three), (_twice, _once_each)],
)
def test_what_differs_does_not_match(one: Callable[[Any], Any], two: Callable[[Any], Any]) -> None:
    with pytest.raises(Mismatch):
        match(_model(one), _model(two))
