"""What changes training: losses, metrics, penalties, limits, optimizers, schedules, and how weights start. Both
programs train or evaluate on the same numbers; what they report and what the weights become is compared case by case.

Keras's training step runs operation by operation here (`run_functions_eagerly`): to trace it as a graph takes ten
times as long as the few steps do, and the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from tests import parity_harness as harness
from tests.parity import arrays
from tests.parity.compare import Comparison, Difference, magnitude, relative
from tests.parity.files import Case
from tests.parity.joint import Joint, joints
from tests.parity_harness import tf  # which is imported behind torch: the other way round can crash
from tests.training.training_harness import Programs

Arrays = dict[str, np.ndarray]
ONE_STEP = "optimizer = SGD(1.0); batch_size = 64; shuffle = false"
"""One step of plain descent with everything in one batch: the change of the weights is their gradient."""
SOME_STEPS = "optimizer = SGD(0.125); batch_size = {batch}; epochs = 2; seed = 3"
"""Several steps with a last batch that is smaller."""


def compare_reports(cases: Iterable[Case], dtype: str, steps: str = ONE_STEP) -> dict[Case, Difference]:
    """What both report of the data (outputs: the losses and metrics) and how training changes the weights
    (gradients)."""
    originals = {_with_loss(case): case for case in cases}
    found: dict[Case, Difference] = {}
    for joint in joints(originals, dtype, steps.replace("{batch}", "4")):
        found |= _Trained(joint).run()
    return {originals[case]: difference for case, difference in found.items()}


def _with_loss(case: Case) -> Case:
    return case if " with loss=" in case.text else replace(case, text=f"{case.text} with loss=mse")


@contextmanager
def _eagerly() -> Iterator[None]:
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


class _Trained(Comparison):
    """A joint model, trained."""

    def __init__(self, joint: Joint) -> None:
        super().__init__(joint)
        harness.randomize(self.pair)
        self.programs = Programs.__new__(Programs)
        self.programs.adopt(self.pair)
        self.partial = "batch_size = 64" not in joint.text  # whether there are batches of several sizes

    def run(self) -> dict[Case, Difference]:
        with _eagerly():
            self._run()
        return self.found

    def _run(self) -> None:
        data: Arrays = {}
        samples = self.joint.batch * 2 + (0 if self.model.batch else self.joint.batch // 2)
        for part in self.joint.parts:
            data |= self.inputs(part, samples)
            for name in part.outputs:
                type_ = next(output.value.type for output in self.model.outputs if output.name == name)
                random = np.random.default_rng(sum(part.case.text.encode()) + 1)
                shape = (samples, *(7 if not isinstance(dim, int) else dim for dim in type_.features))
                data[name] = arrays.target(random, shape, type_.dtype, part.case.options.get("target", ""))
        self._reports(data, "before training")
        if any(part.case.entry[0] != "metric" for part in self.joint.parts) and self.pair.state:
            start = self._weights()
            self.programs.train(data)
            self._changes(start)
            self._reports(data, "after training")

    def _reports(self, data: Arrays, when: str) -> None:
        found, expected = self.programs.evaluate(data)
        assert set(found) <= set(expected), (found, expected)
        for name, value in found.items():
            if self.partial and name != "loss" and len(self.joint.parts) > 1:
                continue  # Keras weights a last small batch as a whole one there
            difference = abs(value - expected[name]) / max(1.0, abs(expected[name]))
            for part in self.joint.parts:
                if len(self.joint.parts) == 1 or name == "loss" or name.startswith(f"{part.outputs[0]}_"):
                    self.found[part.case].note(f"{name} {when}", difference)

    def _weights(self) -> dict[str, np.ndarray]:
        return {path: np.array(np.asarray(variable)) for path, variable in self.pair.weights.items()}

    def _changes(self, start: dict[str, np.ndarray]) -> None:
        saved = self.pair.torch.state_dict()
        for part in self.joint.parts:
            entries = list(self._state(part))
            changes = []
            for entry in entries:
                before = harness.apply_steps(start[entry.path], entry.steps)
                after = harness.apply_steps(np.asarray(self.pair.weights[entry.path]), entry.steps)
                changes.append((entry.path, saved[entry.key].numpy() - before, after - before))
            scale = max([magnitude(expected) for _, _, expected in changes], default=0.0)
            for path, ours, theirs in changes:
                self.found[part.case].note(f"change of {path}", relative(ours, theirs, scale), gradient=True)


def compare_optimizer(case: Case, dtype: str) -> Difference:
    """Twenty steps: how the weights have changed (gradients), and what both report (outputs)."""
    (joint,) = joints([case], dtype)
    (difference,) = _Trained(joint).run().values()
    return difference


def compare_schedule(case: Case, dtype: str) -> Difference:
    """The learning rate of the first 60 steps, and of some far out."""
    (joint,) = joints([case], dtype)
    trained = _Trained(joint)
    programs: Any = trained.programs
    programs.keras.compile_model(trained.pair.keras)
    schedule = trained.pair.keras.optimizer._learning_rate
    steps = [*range(61), 100, 999, 1000, 10_000]
    ours = np.array([float(programs.torch.learning_rate(step)) for step in steps])
    theirs = np.array([float(schedule(step)) for step in steps])
    difference = Difference()
    difference.note("learning rate", relative(ours, theirs))
    return difference


def compare_starts(cases: Iterable[Case], dtype: str) -> dict[Case, Difference]:
    """How weights start: what is random, by its distribution, the rest number by number (outputs)."""
    found: dict[Case, Difference] = {}
    for joint in joints(cases, dtype):
        tf.keras.utils.set_random_seed(3)
        torch.manual_seed(5)
        comparison = Comparison(joint)
        comparison.first_weights()
        for part in joint.parts:
            comparison.distributions(part)
        found |= comparison.found
    return found
