"""Stages of a flow: calls of layers and blocks, branches, repeats, choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from nndsl.layers import catalogue
from tests.fuzz.grammar import calls
from tests.fuzz.grammar.expressions import condition

MERGES = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply")
USUAL = {
    0: ("Reshape((1,))", "Activation(tanh)", "Identity()"),
    1: ("Dense({n})", "Dense({n}, activation=relu)", "LayerNormalization()", "BatchNormalization()", "Dropout(0.3)",
        "Reshape((-1, 1))", "RepeatVector(3)", "UnitNormalization()", "PReLU()", "GaussianNoise(0.1)", "Softmax()"),
    2: ("LSTM({n})", "GRU({n}, return_sequences=true)", "Conv1D({n}, 3)", "Conv1D({n}, 2, padding=causal)",
        "GlobalMaxPooling1D()", "MaxPooling1D(2)", "Bidirectional(LSTM({n}))", "TimeDistributed(Dense({n}))",
        "Flatten()", "Permute((2, 1))", "Dense({n})", "ZeroPadding1D(1)", "UpSampling1D(2)", "Masking()",
        "Bidirectional(GRU({n}, return_sequences=true), merge_mode=sum)", "SeparableConv1D({n}, 2)", "Cropping1D(1)",
        "Conv1DTranspose({n}, 3)", "SpatialDropout1D(0.2)", "LayerNormalization(axis=-1)", "SimpleRNN({n})"),
    3: ("Conv2D({n}, 3)", "Conv2D({n}, 3, strides=2, padding=same)", "DepthwiseConv2D(3)", "MaxPooling2D()",
        "AveragePooling2D(2, padding=same)", "GlobalAveragePooling2D(keepdims=true)", "Flatten()",
        "BatchNormalization(momentum=0.9)", "Conv2DTranspose({n}, 2, strides=2)", "ZeroPadding2D(((1, 0), (0, 1)))",
        "SeparableConv2D({n}, 3, padding=same)", "UpSampling2D(2, interpolation=bilinear)", "Conv2D({n}, (1, 2))",
        "GroupNormalization(1)", "Reshape((-1, 2))", "Dense({n})", "Resizing(4, 4)", "ConvLSTM1D({n}, 2)",
        "TimeDistributed(Conv1D({n}, 2))", "Cropping2D(1)", "SpatialDropout2D(0.1)", "CenterCrop(2, 2)"),
    4: ("Conv3D({n}, 2)", "MaxPooling3D(2)", "GlobalMaxPooling3D()", "ConvLSTM2D({n}, 2)", "Flatten()",
        "TimeDistributed(Flatten())", "Conv3DTranspose({n}, 2)", "UpSampling3D(1)", "BatchNormalization()"),
}  # fmt: skip
KEEPING = ("ReLU()", "Activation(tanh)", "Dropout(0.1)", "LayerNormalization()", "Identity()", "BatchNormalization()")


@dataclass
class Names:
    """What a body may call and use, apart from its values."""

    blocks: dict[str, str] = field(default_factory=dict)  # by name, arguments of a call
    layers: list[str] = field(default_factory=list)  # own layers and what else is called without arguments
    shared: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)  # layers as values
    called: int = 0


def size(random: Random, names: Names) -> str:
    if names.numbers and random.random() < 0.3:
        return random.choice((random.choice(names.numbers), f"2 * {random.choice(names.numbers)}"))
    return str(random.choice((1, 2, 3, 4, 4, 8)))


def simple(random: Random, rank: int, number: str, names: Names) -> str:
    """A call of a layer that probably takes a value of this rank."""
    kind = random.random()
    if number == "int" and kind < 0.6:
        return random.choice((f"Embedding(50, {size(random, names)})", "Embedding(20, 4, mask_zero=true)", "Flatten()",
                              "CategoryEncoding(9)", "Identity()", "Rescaling(0.5)", "Reshape((-1,))"))  # fmt: skip
    if names.blocks and kind < 0.15:
        name = random.choice(list(names.blocks))
        return f"{name}({names.blocks[name]})"
    if names.layers and kind < 0.25:
        return f"{random.choice(names.layers)}()"
    if names.parameters and kind < 0.35:
        return random.choice(names.parameters)
    if names.shared and kind < 0.3:
        return random.choice(names.shared)
    if kind < 0.6 and rank in USUAL:
        return random.choice(USUAL[rank]).format(n=size(random, names))
    fits = calls.fitting("layer", min(rank, 4), number)
    name = random.choice(fits) if fits and random.random() < 0.93 else random.choice(catalogue.names("layer"))
    return calls.call(catalogue.find("layer", name), random)


def stage(random: Random, rank: int, number: str, names: Names, depth: int = 0, value: str | None = None) -> str:
    kind = random.random()
    if depth > 2 or kind < 0.68:
        return simple(random, rank, number, names)
    if kind < 0.78:
        arms = [pipe(random, rank, number, names, depth + 1) for _ in range(random.randint(1, 3))]
        if random.random() < 0.6:
            same = random.choice(KEEPING)
            arms = [same if random.random() < 0.7 else "Identity()" for _ in arms] + ["Identity()"]
        merge = random.choice(MERGES) if random.random() < 0.9 else "Stack"
        join = random.choice(("; ", "\n            "))
        return f"branch {{ {join.join(arms)} }} -> {merge}()"
    if kind < 0.9:
        return repeat(random, rank, number, names, depth)
    if kind < 0.96:
        test = condition(random, tuple(names.numbers), value)
        one, two = simple(random, rank, number, names), simple(random, rank, number, names)
        if random.random() < 0.3:
            one = f"({one} -> {random.choice(KEEPING)})"
        if random.random() < 0.5:
            two = "Identity()"
        return f"{one} if {test} else {two}"
    return f"({pipe(random, rank, number, names, depth + 1)})"


def repeat(random: Random, rank: int, number: str, names: Names, depth: int) -> str:
    keeping = random.choice(KEEPING) if rank else "Identity()"
    kind = random.randrange(6)
    if kind == 0:
        return f"repeat {random.choice(('0', '1', '2', '3', '1 + 1', *names.numbers))} {{ {keeping} }}"
    if kind == 1:
        return f"repeat i in {random.choice(('0..3', '1..2', '2..2', '0..1 + 1'))} {{ Dense(2 ** i) -> {keeping} }}"
    if kind == 2:
        return f"repeat u in {random.choice(('[4, 2]', '[3]', '(2, 3)', '[]'))} {{ Dense(u) }}"
    if kind == 3:
        return "repeat (u, n) in [(2, 1), (4, 2)] { repeat n { Dense(u, activation=relu) } }"
    if kind == 4:
        return f"repeat 2 {{ branch {{ {keeping}; Identity() }} -> Add() }}"
    return f"repeat {random.randint(0, 3)} {{ {stage(random, rank, number, names, depth + 1)} }}"


def pipe(random: Random, rank: int, number: str, names: Names, depth: int = 0) -> str:
    """One stage or two; the second one is drawn as if the first had kept the rank."""
    found = [stage(random, rank, number, names, depth + 1)]
    if random.random() < 0.3:
        found.append(random.choice(KEEPING) if random.random() < 0.7 else simple(random, rank, "float", names))
    return random.choice((" -> ", " -> ", "\n        -> ")).join(found)
