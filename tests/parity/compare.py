"""Both programs of a joint model, run and compared case by case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import stats

from nndsl.ir.dims import evaluate, free_symbols
from tests import parity_harness as harness
from tests.parity import arrays
from tests.parity.files import Case
from tests.parity.joint import Joint, Part, checked, joints, paths

Arrays = dict[str, np.ndarray]
DRAWS = 4000
"""Samples over which what is random is compared."""


@dataclass
class Difference:
    """The largest differences of a case, relative to the largest magnitude: of each output (and of each weight that
    training mode changes), of the case's gradients."""

    outputs: float = 0.0
    gradients: float = 0.0
    where: str = ""  # what differs most

    def note(self, what: str, value: float, gradient: bool = False) -> None:
        if value > max(self.outputs, self.gradients):
            self.where = what
        if gradient:
            self.gradients = max(self.gradients, value)
        else:
            self.outputs = max(self.outputs, value)


def compare(cases: Iterable[Case], dtype: str) -> dict[Case, Difference]:
    """Outputs, gradients, state and first weights of each case that there is in `dtype`."""
    found: dict[Case, Difference] = {}
    for joint in joints((case for case in cases if "trains" not in case.options), dtype):
        found |= Comparison(joint).run()
    return found


class Comparison:
    """One joint model in both programs."""

    def __init__(self, joint: Joint) -> None:
        self.joint = joint
        program = checked(joint)
        self.model = program.main
        self.pair = harness.build_pair(program)
        self.found = {part.case: Difference() for part in joint.parts}
        self.layers = {part.case: paths(self.model, part.outputs) for part in joint.parts}

    def run(self) -> dict[Case, Difference]:
        self.first_weights()
        harness.randomize(self.pair)
        inputs = {}
        for part in self.joint.parts:
            inputs |= self.inputs(part)
        if not any("random" in part.case.options for part in self.joint.parts):
            self.modes(inputs, training=False)
        if all("draws" in part.case.options for part in self.joint.parts):
            self._draws()
        else:
            self.modes(inputs, training=True)
        return self.found

    def inputs(self, part: Part, batch: int = 0) -> Arrays:
        """The arrays of a case: the same whichever other cases are in the model."""
        random = np.random.default_rng(sum(part.case.text.encode()))
        made = {}
        for name, (_, how) in part.case.inputs.items():
            declared = next(item for item in self.model.inputs if item.name == part.inputs[name]).value.type
            sizes = {"#batch": batch or self.joint.batch}
            for dim in declared.shape:
                sizes |= {symbol: 7 for symbol in free_symbols(dim) if symbol not in sizes}
            shape = tuple(evaluate(dim, sizes) for dim in declared.shape)
            made[part.inputs[name]] = arrays.make(random, shape, declared.dtype, how)
        return made

    def first_weights(self) -> None:
        """Those that are not random are Keras's before training starts."""
        first = {key: value.clone() for key, value in self.pair.torch.state_dict().items()}
        again = type(self.pair.torch)().state_dict()
        for part in self.joint.parts:
            for entry in self._state(part):
                if "seed=" not in part.case.text and torch.equal(first[entry.key], again[entry.key]):
                    expected = harness.apply_steps(np.asarray(self.pair.weights[entry.path]), entry.steps)
                    difference = relative(first[entry.key].numpy(), expected)
                    self.found[part.case].note(f"first value of {entry.path}", difference)

    def distributions(self, part: Part) -> None:
        """The weights that are random start as Keras's do: one of the two samples of them is as likely as the other
        (Kolmogorov and Smirnov); matrices that are orthogonal in Keras are so here."""
        again = type(self.pair.torch)().state_dict()
        for entry in self._state(part):
            ours = self.pair.torch.state_dict()[entry.key]
            theirs = np.asarray(self.pair.weights[entry.path])
            if torch.equal(ours, again[entry.key]):
                continue
            test = stats.ks_2samp(ours.numpy().ravel(), theirs.ravel())
            assert test.pvalue > 1e-6, f"{part.case.label}: {entry.path} has another distribution: {test}"
            matrix = theirs.reshape(-1, theirs.shape[-1])
            found = _back(ours.numpy(), theirs.shape, entry.steps).reshape(matrix.shape)
            if matrix.shape[0] < matrix.shape[1]:
                matrix, found = matrix.T, found.T
            products = matrix.T @ matrix
            if np.abs(products - products[0, 0] * np.eye(len(products))).max() < 1e-4 * products[0, 0]:
                self.found[part.case].note(f"products of the rows of {entry.path}", relative(found.T @ found, products))

    def modes(self, inputs: Arrays, training: bool) -> None:
        """One of the two modes: outputs, gradients, and what a call leaves behind."""
        mode = "in training" if training else "in inference"
        gradients = not all("values" in part.case.options for part in self.joint.parts)
        expected, by_path = harness.run_keras(self.pair, inputs, training, gradients=gradients)
        found, by_key = harness.run_torch(self.pair, inputs, training)
        saved = self.pair.torch.state_dict()
        for part in self.joint.parts:
            if training and "inference" in part.case.options:
                continue
            difference = self.found[part.case]
            for name in part.outputs:
                difference.note(f"{name} {mode}", relative(found[name], expected[name]))
            pairs = [(name, by_key.get(name), by_path.get(name)) for name in part.inputs.values()]
            for entry in self._state(part):
                gradient = by_path.get(entry.path)
                gradient = None if gradient is None else harness.apply_steps(gradient, entry.steps)
                pairs.append((entry.path, by_key.get(entry.key), gradient))
                value = harness.apply_steps(np.asarray(self.pair.weights[entry.path]), entry.steps)
                difference.note(f"{entry.path} {mode}", relative(saved[entry.key].numpy(), value))
            scale = max([magnitude(g) for _, _, g in pairs if g is not None], default=0.0)
            for name, ours, theirs in pairs:
                if (ours is None and theirs is None) or "values" in part.case.options:
                    continue
                ours = np.zeros_like(theirs) if ours is None else ours  # one that is left out is zero
                theirs = np.zeros_like(ours) if theirs is None else theirs
                difference.note(f"gradient of {name} {mode}", relative(ours, theirs, scale), gradient=True)

    def _draws(self) -> None:
        """What is random in training has Keras's mean and spread, element by element, over many samples."""
        import keras

        keras.utils.set_random_seed(1)
        torch.manual_seed(2)
        inputs = {}
        for part in self.joint.parts:
            inputs |= {name: np.repeat(array[:1], DRAWS, axis=0) for name, array in self.inputs(part).items()}
        expected = harness.run_keras(self.pair, inputs, training=True)[0]
        found = harness.run_torch(self.pair, inputs, training=True)[0]
        for part in self.joint.parts:
            for name in part.outputs:
                for power in (1, 2):
                    a, b = found[name].astype("float64") ** power, expected[name].astype("float64") ** power
                    error = np.sqrt((a.var(0) + b.var(0)) / DRAWS) + 1e-6 * np.abs(b).max()
                    worst = float((np.abs(a.mean(0) - b.mean(0)) / error).max())
                    assert worst < 6, f"{part.case.label}: moment {power} is {worst:.1f} standard errors off"

    def _state(self, part: Part) -> Iterator[harness.StateEntry]:
        """The tensors of the layers of a case."""
        heads = tuple(f"{path}{sign}" for path in self.layers[part.case] for sign in "/.")
        return (entry for entry in self.pair.state if entry.path.startswith(heads))


def _back(array: np.ndarray, shape: tuple[int, ...], steps: Any) -> np.ndarray:
    """An array in torch's layout in Keras's: found by sending the positions the other way."""
    places = harness.apply_steps(np.arange(array.size).reshape(shape), steps)
    back = np.empty(array.size, array.dtype)
    back[places.ravel()] = array.ravel()
    return back.reshape(shape)


def magnitude(array: np.ndarray) -> float:
    """The largest finite magnitude, 0 where there is nothing."""
    return float(np.abs(np.where(np.isfinite(array), array, 0)).max(initial=0))


def relative(found: np.ndarray, expected: np.ndarray, scale: float | None = None) -> float:
    """The largest difference relative to the largest magnitude; infinite where the arrays are not of one kind."""
    if found.shape != expected.shape or found.dtype != expected.dtype:
        raise AssertionError(f"{found.dtype}{list(found.shape)} instead of {expected.dtype}{list(expected.shape)}")
    same = (found == expected) | ((found != found) & (expected != expected))
    if same.all():
        return 0.0
    if not np.isfinite(np.where(same, 0, found)).all() or not np.isfinite(np.where(same, 0, expected)).all():
        return float("inf")
    scale = magnitude(expected) if scale is None else scale
    with np.errstate(invalid="ignore"):
        worst = np.abs(np.where(same, 0, found.astype("float64") - expected)).max()
    return float(worst / scale) if scale else float("inf")
