"""Emitted programs of layers with helpers read as if written by hand: ruff and mypy --strict find nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from nndsl import pipeline
from tests.parity_harness import check

pytestmark = pytest.mark.torch

PROGRAMS = {
    "attention": """
model Program {
    input ids: int[T]
    input scores: float[T, 16]
    input allowed: bool[T, T]
    h = ids -> Embedding(100, 16, mask_zero=true) -> MultiHeadAttention(4, 4, use_causal_mask=true, use_gate=true)
    (k, w) = h -> MultiHeadAttention(2, 4, return_attention_scores=true, attention_mask=allowed, dropout=0.1, seed=1)
    far = (scores, k, h) -> MultiHeadAttention(2, 3, 5, output_shape=16, sliding_window=3, kernel_regularizer=l2,
                                               kernel_constraint=MaxNorm(2, axis=1), kernel_initializer=he_normal)
    z = (far, k) -> Attention(dropout=0.1, use_causal_mask=true, use_scale=true) -> GaussianNoise(0.1, seed=3)
    (a, b) = (z, h) -> AdditiveAttention(return_attention_scores=true)
    output y = a -> ReversibleEmbedding(100, 16, reverse=true, logit_soft_cap=30) with loss=mse
    output q = w
    output g = h -> GroupQueryAttention(3, 4, 2, use_gate=true) -> GroupQueryAttention(3, 4, 1)
    output r = b
}
""",
    "plain": """
model Program {
    input x: float[8, 5, 16]
    rows = x -> MultiHeadAttention(4, 4, attention_axes=2)
        -> MultiHeadAttention(2, 4, attention_axes=1, output_shape=(2, 8))
    steps = rows -> Reshape((40, 16)) -> AlphaDropout(0.1, noise_shape=(none, 1, none), seed=2)
        -> MultiHeadAttention(2, 4, dropout=0.2, use_causal_mask=true)
    heads = x -> EinsumDense("...c,cde->...de", (4, 8), activation=relu, bias_axes="de", kernel_regularizer=l2)
    output y = steps -> GaussianDropout(0.1) with loss=mse
    kept = steps -> MultiHeadAttention(2, 4, trainable=false) -> GroupQueryAttention(4, 4, 2, trainable=false)
        -> BatchNormalization(renorm=true, renorm_clipping=(0.5, none, 3), scale=false, renorm_momentum=0.9)
    output p = kept -> MultiHeadAttention(2, 4, activity_regularizer=l1_l2(0.1, 0.2), use_gate=true)
        -> BatchNormalization(renorm=true, trainable=false) with loss=mse
    output z = heads -> EinsumDense("...de,def->...f", 3, kernel_initializer=he_normal)
}
""",
    "images": """
model Program {
    input image: uint8[32, 32, 3]
    x = image -> Rescaling([1, 2, 3], offset=-1)
        -> Normalization(mean=[0.485, 0.456, 0.406], variance=[0.05, 0.05, 0.05])
    y = x -> Normalization() -> Conv2D(8, 3) -> GroupNormalization(4) -> SpatialDropout2D(0.1) -> UnitNormalization()
    z = y -> Conv2D(8, 3) -> GroupNormalization(2, scale=false) -> RMSNormalization() -> PReLU(shared_axes=[1, 2])
    w = z -> AdaptiveMaxPooling2D((3, 4)) -> AdaptiveAveragePooling2D(2) -> AdaptiveMaxPooling2D(1)
    output v = w -> AlphaDropout(0.1)
    video = image -> Rescaling(0.1) -> Reshape((8, 4, 32, 3))
    (a, hidden, cell) = video -> ConvLSTM2D(4, 3, strides=(1, 2), padding=same, dropout=0.1, activation=softmax,
                                    return_sequences=true, return_state=true, recurrent_dropout=0.2)
    output s = video -> TimeDistributed(SpectralNormalization(Conv2D(2, 2))) -> SpectralNormalization(Dense(3))
    output u = a -> Bidirectional(ConvLSTM2D(3, 2, dilation_rate=2, use_bias=false))
    output t = a -> ConvLSTM2D(4, 3, padding=same, initial_state=(hidden, cell), kernel_initializer=he_normal)
    output e = z -> SpectralNormalization(DepthwiseConv2D(2, depth_multiplier=2))
        -> SpectralNormalization(EinsumDense("...c,cd->...d", 5, bias_axes="d"))
    output c = z -> ActivityRegularization(0.1) -> UnitNormalization(axis=[1, 2]) -> Normalization(axis=1, invert=true)
        with loss=mse
}
""",
    "sizes": """
model Program {
    input image: uint8[H, W, 3]
    input small: float[8, 9, 3]
    a = image -> Resizing(32, 32, crop_to_aspect_ratio=true, antialias=true)
        -> Resizing(16, 16, bicubic) -> Resizing(12, 20, area)
    b = image -> Resizing(40, 20, lanczos3, pad_to_aspect_ratio=true, fill_value=0.5, antialias=true)
        -> CenterCrop(12, 20) -> Conv2D(3, 1)
    c = small -> CenterCrop(12, 20) -> UpSampling2D(2, interpolation=lanczos5)
        -> Resizing(12, 20, bicubic, antialias=true)
    d = image -> CenterCrop(3, 5) -> Conv2D(3, 2, padding=same) -> UpSampling2D((4, 4), interpolation=bicubic)
    e = small -> ContrastLimitedAdaptiveHistogramEqualization((0, 1), tile_grid_size=(2, 3)) -> CenterCrop(12, 20)
    output y = (a, b, c, d, e) -> Add() -> AutoContrast(value_range=(0, 1))
}
""",
    "categories": """
model Program {
    input ids: int[T]
    input x: float[6]
    input w: float[T]
    a = ids -> IntegerLookup(vocabulary=[12, 36, 1138, 42], num_oov_indices=3, mask_token=0) -> Embedding(9, 4)
    b = ids -> IntegerLookup(vocabulary=[12, 36], output_mode=tf_idf, idf_weights=[0.25, 0.75], mask_token=0)
    c = ids -> IntegerLookup(vocabulary=[12, 36], invert=true) -> IntegerLookup(vocabulary=[5, 12], num_oov_indices=0)
        -> CategoryEncoding(4, output_mode=count, count_weights=w)
    d = x -> Discretization([-1, 0.5], output_mode=one_hot) -> Flatten()
    e = x -> Discretization([-1, 0.5]) -> CategoryEncoding(3)
    output y = (a -> GlobalMaxPooling1D(), b, c, d, e) -> Concatenate() -> Dense(3)
}
""",
}


def test_ruff_and_mypy_find_nothing(tmp_path: Path, well_typed: Callable[[Iterable[Path]], None]) -> None:
    for name, text in PROGRAMS.items():
        program, problems = check(text)
        assert program is not None, [(item.message, item.help) for item in problems]
        for target in ("torch", "keras"):
            (tmp_path / f"{name}_{target}.py").write_text(pipeline.emit(program, target), encoding="utf-8")
    rules = "E,F,W,I,UP,B,SIM,C4"
    _run("ruff", "check", "--isolated", "--select", rules, "--line-length", "88", ".", folder=tmp_path)
    _run("ruff", "format", "--isolated", "--check", ".", folder=tmp_path)
    well_typed(tmp_path.glob("*_torch.py"))


def _run(*arguments: str, folder: Path) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
