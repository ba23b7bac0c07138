"""The zoo's second half: Transformers, recurrence, sound, a VAE, two towers; and the layers of one's own.

keras.applications has none of them: both targets are compared with each other, and the numbers of weights with those
that the papers' own models have.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nndsl import pipeline
from nndsl.runtime.made import random_array, random_sizes
from nndsl.runtime.slots import slots_of
from nndsl.views.summary import summarize
from tests import parity_harness as harness
from tests.zoo.models import ROOT, ZOO
from tests.zoo.params import in_float, set_params
from tests.zoo.test_counts import checked

SMALL: dict[str, dict[str, int]] = {
    "vit": {"image_size": 8, "patch": 4, "size": 8, "depth": 3, "heads": 2, "classes": 5},
    "transformer": {"vocabulary": 11, "size": 8, "depth": 2, "heads": 2},
    "gpt": {"vocabulary": 11, "context": 40, "size": 8, "depth": 3, "heads": 2},
    "seq2seq": {"source_vocabulary": 9, "target_vocabulary": 7, "units": 6},
    "vae": {"size": 8},
    "wavenet": {"levels": 11, "channels": 6, "stacks": 2, "depth": 3},
    "two_towers": {"vocabulary": 20, "size": 5},
}
"""Sizes at which each is compared and trained."""

FREE = {"T": 6, "S": 5, "Q": 4, "L": 3, "R": 5}
COUNTS = {
    "gpt": 124_439_808,  # GPT-2 small, as published
    "vit": 86_567_656,  # vit_b_16 of torchvision
    "transformer": 37_000 * 512 + 6 * 3_152_384 + 6 * 4_204_032,  # one table for both languages and the way back
}


def small(name: str) -> str:
    return set_params((ZOO / f"{name}.nn").read_text(encoding="utf-8"), SMALL[name])


def without_chance(text: str) -> str:
    """The same model with nothing drawn: no dropout, and the noise of the VAE as an input."""
    text = re.sub(r"(?m)^(param drop\s*=).*$", r"\1 0", text)
    text = re.sub(r"Dropout\([\d.]+\)", "Dropout(0)", re.sub(r"\bdropout=[\d.]+", "dropout=0", text))
    if "random_normal(" in text:
        text = text.replace("random_normal(like=center)", "noise").replace(
            "    input", "    input noise: float[codes]\n    input", 1
        )
    assert "random_" not in text
    return text


@pytest.mark.parametrize("name", COUNTS)
def test_parameters(name: str) -> None:
    summary = summarize(checked(str(ZOO / f"{name}.nn")).main)
    assert (summary.trainable, summary.frozen) == (COUNTS[name], 0)


def test_a_gpt_is_short() -> None:
    """Its classes take under 100 lines, and a block of the file is a class."""
    text = pipeline.emit(checked(str(ZOO / "gpt.nn")), "torch")
    classes = text[text.index("class Block(") : text.index("ARRAYS = ")]
    assert len(classes.splitlines()) < 60
    assert "nn.Sequential(*(Block() for _ in range(12)))" in classes
    assert len(text.splitlines()) < 220


def test_what_reads_the_ids_is_known() -> None:
    """Not the embedding of places, which are made of the tokens: made data must fit, and files are checked by it."""
    slots = slots_of(checked(str(ZOO / "gpt.nn")).main)
    assert slots[0].ids is not None
    assert slots[0].ids[:2] == (50257, "ReversibleEmbedding(50257, 768)")


def test_a_decoder_gets_what_was_encoded_in_every_round() -> None:
    program = checked(str(ZOO / "transformer.nn"))
    assert "x = decoder_block(x, encoded)" in pipeline.emit(program, "torch")
    assert "x = decoder_block(x, encoded, name=f" in pipeline.emit(program, "keras")


@pytest.mark.keras
@pytest.mark.torch
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("name", SMALL)
def test_parity(name: str, training: bool) -> None:
    text = without_chance(small(name))
    harness.assert_parity(text, sizes=FREE, training=training)
    harness.assert_parity(in_float(text, "float64"), sizes=FREE, training=training, tolerance=1e-11)


def test_what_comes_later_does_not_matter() -> None:
    """A GPT and a WaveNet never look ahead, and do look back."""
    for name, output in (("gpt", "next_tokens"), ("wavenet", "following")):
        pair = harness.compile_pair(small(name))
        pair.torch.eval()
        given = torch.arange(12).reshape(1, 12) % 7
        changed = given.clone()
        changed[0, 8] = 9
        with torch.no_grad():
            before, after = pair.torch(given)[output], pair.torch(changed)[output]
        assert torch.equal(before[:, :8], after[:, :8]), name
        assert not torch.isclose(before[:, 8:], after[:, 8:]).all(dim=-1).any(), name


class Steps:
    """Both emitted training parts, one step at a time on the whole data."""

    def __init__(self, text: str, rows: int = 8) -> None:
        self.pair = harness.compile_pair(text)
        self.torch: Any = sys.modules["emitted_torch"]
        self.keras: Any = sys.modules["emitted_keras"]
        model = self.pair.model
        self.arrays = {s.name: random_array(s, random_sizes(model), rows, seed=1) for s in slots_of(model)}
        for variable in self.pair.weights.values():
            variable.assign(variable * 0.2)  # nothing is saturated at the start
        harness.copy_weights(self.pair)
        self.keras.compile_model(self.pair.keras)
        self.optimizer = self.torch.make_optimizer(self.pair.torch)

    def losses(self) -> tuple[float, float]:
        """What torch and Keras report of one more step."""
        keras_model = self.pair.keras
        keras_model.reset_metrics()
        inputs = {name: self.arrays[name] for name in self.keras.INPUTS}
        targets = {name: self.arrays[name] for name in self.keras.TARGETS}
        expected = keras_model.train_on_batch(inputs, targets, return_dict=True)["loss"]
        tensors = {name: torch.from_numpy(array).to(self.torch.ARRAYS[name][1]) for name, array in self.arrays.items()}
        rows = len(next(iter(tensors.values())))
        found = self.torch.run(self.pair.torch, tensors, rows, self.optimizer)["loss"]
        return float(found), float(expected)

    def assert_same_weights(self) -> None:
        saved = self.pair.torch.state_dict()
        for entry in self.pair.state:
            value = harness.apply_steps(np.asarray(self.pair.weights[entry.path]), entry.steps)
            np.testing.assert_allclose(saved[entry.key].numpy(), value, rtol=0, atol=1e-9, err_msg=entry.key)


@pytest.mark.keras
@pytest.mark.torch
def test_twenty_steps_of_a_vae() -> None:
    """Reconstruction and penalty together, from the same noise. Keras's Adam takes its rates of decay in float32,
    so that the steps are plain ones, of a length that has no error there."""
    text = in_float(without_chance(small("vae")), "float64")
    adam, plain = "Adam(learning_rate=0.001)", "SGD(learning_rate=0.0009765625)"
    assert adam in text
    steps = Steps(text.replace(adam, plain))
    seen = [steps.losses() for _ in range(20)]
    for found, expected in seen:
        assert found == pytest.approx(expected, rel=1e-6)  # Keras counts what it reports in float32
    assert seen[-1][0] < seen[0][0]
    steps.assert_same_weights()


@pytest.mark.keras
@pytest.mark.torch
def test_twenty_steps_of_layers_of_ones_own() -> None:
    """The weights that train and the sum that does not, in both targets alike."""
    text = (ROOT / "examples" / "custom_layers.nn").read_text(encoding="utf-8").replace("0.01)", "0.0078125)")
    steps = Steps(in_float(text, "float64"))
    [state] = [entry for entry in steps.pair.state if entry.path.endswith("/total")]
    total = np.asarray(steps.pair.weights[state.path]).copy()
    for _ in range(20):
        found, expected = steps.losses()
        assert found == pytest.approx(expected, rel=1e-6)
        total += steps.arrays["measures"].astype(np.float64).sum(axis=0)
        saved = steps.pair.torch.state_dict()
        np.testing.assert_allclose(saved[state.key].numpy(), total, rtol=1e-9)
        np.testing.assert_allclose(np.asarray(steps.pair.weights[state.path]), total, rtol=1e-9)
    steps.assert_same_weights()


@pytest.mark.slow
@pytest.mark.parametrize("target", ["torch", "keras"])
@pytest.mark.parametrize("name", SMALL)
def test_trains_a_step(name: str, target: str, tmp_path: Path) -> None:
    program, problems = harness.check(small(name))
    assert program is not None, problems.items
    (tmp_path / "program.py").write_text(pipeline.emit(program, target), encoding="utf-8")
    arrays = {slot.name: random_array(slot, random_sizes(program.main), 2, seed=1) for slot in slots_of(program.main)}
    np.savez(tmp_path / "data.npz", **arrays)  # type: ignore[arg-type]
    weights = "w.pt" if target == "torch" else "w.weights.h5"
    command = [sys.executable, "program.py", "train", "data.npz", "--epochs", "1", "--weights", weights]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "loss" in done.stdout and "nan" not in done.stdout
