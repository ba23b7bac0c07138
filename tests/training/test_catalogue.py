"""The catalogue's losses, metrics, optimizers, schedules and callbacks against Keras's: names, arguments, defaults."""

from __future__ import annotations

import inspect

import pytest

from nndsl.layers import catalogue

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

MODULES = {
    "loss": keras.losses,
    "metric": keras.metrics,
    "optimizer": keras.optimizers,
    "optimizer_map": keras.optimizers,
    "schedule": keras.optimizers.schedules,
    "callback": keras.callbacks,
}
# What nndsl leaves out on purpose (each with its own advice, or without a meaning in a file).
LEFT_OUT = {
    "name", "dtype", "loss_scale_factor", "kwargs", "y_true", "y_pred",
}  # fmt: skip
CASES = [(category, cls) for category in MODULES for cls in catalogue.entries(category)]


@pytest.mark.parametrize(("category", "cls"), CASES, ids=[f"{c}-{cls.__name__}" for c, cls in CASES])
def test_arguments_are_keras_own(category: str, cls: type) -> None:
    theirs = getattr(MODULES[category], cls.__name__)  # a class, or a function that Keras takes as a metric
    parameters = inspect.signature(theirs).parameters
    expected = {name: p.default for name, p in parameters.items() if name not in LEFT_OUT}
    if cls.__name__ == "Accuracy":
        expected = {}
    ours = cls.arguments
    assert list(ours) == list(expected)
    for name, default in expected.items():
        assert ours[name].required == (default is inspect.Parameter.empty), name
        if not ours[name].required:
            assert ours[name].default == default, name


@pytest.mark.parametrize(("category", "cls"), CASES, ids=[f"{c}-{cls.__name__}" for c, cls in CASES])
def test_every_entry_is_documented(category: str, cls: type) -> None:
    text = cls.documentation()
    assert "Example:" in text and len(text.splitlines()[0]) > 10
    assert all(argument.doc for argument in cls.arguments.values())


@pytest.mark.parametrize("alias", ["mse", "MSE", "mae", "mape", "msle", "bce", "BCE", "kld", "huber", "log_cosh"])
def test_aliases_name_what_keras_names(alias: str) -> None:
    cls = catalogue.find("loss", alias)
    assert cls is not None
    function = keras.losses.get(alias)
    from nndsl.layers.entry import snake_case

    assert function.__name__ == snake_case(cls.__name__)
