"""Names that people bring along from PyTorch, from Keras 1 and from papers, and what to say to them.

Read only when a name or an argument is unknown. Names that Keras itself had earlier stand in the entries (`formerly`).
"""

from __future__ import annotations

import re

from nndsl.layers.left_out import written

_LAYERS = {
    "Linear": "Dense",
    "LazyLinear": "Dense",
    "FullyConnected": "Dense",
    "LayerNorm": "LayerNormalization",
    "BatchNorm": "BatchNormalization",
    "GroupNorm": "GroupNormalization",
    "RMSNorm": "RMSNormalization",
    "MultiheadAttention": "MultiHeadAttention",
    "GroupedQueryAttention": "GroupQueryAttention",
    "MultiQueryAttention": "GroupQueryAttention",
    "SelfAttention": "MultiHeadAttention",
    "TiedEmbedding": "ReversibleEmbedding",
    "Upsample": "UpSampling2D",
    "Concat": "Concatenate",
    "cat": "Concatenate",
    "concat": "Concatenate",
    "Sum": "Add",
    "Mul": "Multiply",
    "Product": "Multiply",
    "Mean": "Average",
    "Max": "Maximum",
    "Min": "Minimum",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "View": "Reshape",
    "Unflatten": "Reshape",
    "BiLSTM": "Bidirectional",
}
_PATTERNS = (
    (r"BatchNorm[123]d", "BatchNormalization"),
    (r"MaxPool([123])[dD]", r"MaxPooling\1D"),
    (r"(?:AvgPool|AveragePool)([123])[dD]", r"AveragePooling\1D"),
    (r"Adaptive(?:Avg|Average)Pool([123])[dD]", r"AdaptiveAveragePooling\1D"),
    (r"AdaptiveMaxPool([123])[dD]", r"AdaptiveMaxPooling\1D"),
    (r"ConvTranspose([123])[dD]", r"Conv\1DTranspose"),
    (r"ZeroPad([123])[dD]", r"ZeroPadding\1D"),
    (r"Dropout([123])d", r"SpatialDropout\1D"),
)
# PyTorch's layers whose first argument says what comes in (or how much is left), which is not said here; with the
# number of arguments in all from which on it must be there.
_FIRST_SAYS_INPUT = (
    (r"Linear", 2),
    (r"Conv(?:Transpose)?[123]d", 3),
    (r"BatchNorm[123]d|LayerNorm", 1),
)
_OPTIONS = {
    ("activation", "lrelu"): "leaky_relu",
    ("activation", "logistic"): "sigmoid",
    ("activation", "identity"): "linear",
    ("activation", "softmin"): "softmax",
    ("initializer", "xavier"): "glorot_uniform",
    ("initializer", "xavier_uniform"): "glorot_uniform",
    ("initializer", "xavier_normal"): "glorot_normal",
    ("initializer", "kaiming"): "he_uniform",
    ("initializer", "kaiming_uniform"): "he_uniform",
    ("initializer", "kaiming_normal"): "he_normal",
    ("initializer", "he"): "he_normal",
    ("initializer", "glorot"): "glorot_uniform",
    ("initializer", "gaussian"): "random_normal",
    ("loss", "cross_entropy"): "categorical_crossentropy",
    ("loss", "crossentropy"): "categorical_crossentropy",
    ("loss", "CrossEntropyLoss"): "sparse_categorical_crossentropy(from_logits=true)",
    ("loss", "NLLLoss"): "sparse_categorical_crossentropy",
    ("loss", "nll_loss"): "sparse_categorical_crossentropy",
    ("loss", "BCELoss"): "binary_crossentropy",
    ("loss", "BCEWithLogitsLoss"): "binary_crossentropy(from_logits=true)",
    ("loss", "log_loss"): "binary_crossentropy",
    ("loss", "MSELoss"): "mse",
    ("loss", "L1Loss"): "mae",
    ("loss", "l1"): "mae",
    ("loss", "l2"): "mse",
    ("loss", "smooth_l1"): "huber",
    ("loss", "SmoothL1Loss"): "huber",
    ("loss", "HuberLoss"): "huber",
    ("metric", "rmse"): "root_mean_squared_error",
    ("metric", "top5"): "top_k_categorical_accuracy",
    ("regularizer", "weight_decay"): "l2",
    ("dtype", "double"): "float64",
    ("dtype", "half"): "float16",
    ("dtype", "single"): "float32",
    ("dtype", "long"): "int64",
    ("dtype", "short"): "int16",
    ("dtype", "byte"): "uint8",
    ("dtype", "char"): "int8",
    ("dtype", "integer"): "int",
    ("dtype", "boolean"): "bool",
    ("data_format", "NCHW"): "channels_first",
    ("data_format", "nchw"): "channels_first",
    ("data_format", "th"): "channels_first",
    ("data_format", "first"): "channels_first",
    ("data_format", "NHWC"): "channels_last",
    ("data_format", "nhwc"): "channels_last",
    ("data_format", "tf"): "channels_last",
    ("data_format", "last"): "channels_last",
}
_LAYER_ADVICE = {
    "Sequential": "layers follow each other with `->`: `x -> Dense(64) -> Dense(10)`",
    "Model": "a model is written `model Name { … }`; its values flow with `->`",
    "Merge": "each way to merge is a layer: `(a, b) -> Concatenate()`, `Add()`, `Multiply()`, `Dot(axes=1)`",
    "merge": "each way to merge is a layer: `(a, b) -> Concatenate()`, `Add()`, `Multiply()`, `Dot(axes=1)`",
    "TimeDistributedDense": "write `TimeDistributed(Dense(…))`",
    **dict.fromkeys(
        ("InstanceNorm", "InstanceNormalization", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"),
        "write `GroupNormalization(groups=-1)`: a group for each channel",
    ),
    "MaxoutDense": "Keras has it no more; `Dense` layers merged by `Maximum()` do the same",
    "Highway": "Keras has it no more; `Multiply()` and `Add()` on `Dense` layers do the same",
    "Transformer": "a transformer is built of its layers; write them out",
}
_ARGUMENT_NAMES = {
    "out_channels": ("filters",),
    "out_features": ("units",),
    "hidden_size": ("units",),
    "n_units": ("units",),
    "neurons": ("units",),
    "num_units": ("units",),
    "num_embeddings": ("input_dim",),
    "vocab_size": ("input_dim",),
    "embedding_dim": ("output_dim",),
    "embedding_size": ("output_dim",),
    "kernel": ("kernel_size",),
    "filter_size": ("kernel_size",),
    "kernel_size": ("pool_size",),
    "stride": ("strides",),
    "dilation": ("dilation_rate",),
    "eps": ("epsilon",),
    "num_groups": ("groups",),
    "heads": ("num_heads",),
    "n_heads": ("num_heads",),
    "nhead": ("num_heads",),
    "head_dim": ("key_dim",),
    "head_size": ("key_dim",),
    "causal": ("use_causal_mask",),
    "is_causal": ("use_causal_mask",),
    "need_weights": ("return_attention_scores",),
    "attn_mask": ("attention_mask",),
    "wd": ("weight_decay",),
    "std": ("stddev",),
    "nonlinearity": ("activation",),
    "act": ("activation",),
    "dim": ("axis", "axes"),
    "dims": ("axis", "axes"),
    "scale_factor": ("size",),
    "elementwise_affine": ("scale",),
    "alpha": ("learning_rate", "negative_slope"),
    "pool": ("pool_size",),
    "bias_init": ("bias_initializer",),
    "kernel_init": ("kernel_initializer",),
    "weight_init": ("kernel_initializer",),
}
_ARGUMENTS = {
    "in_channels": "what flows in says how many channels there are: leave it out",
    "in_features": "what flows in says how many features there are: leave it out",
    "input_size": "what flows in says how many features there are: leave it out",
    "num_features": "what flows in says how many features there are: leave it out",
    "embed_dim": "what flows in says how many features there are; `key_dim` is the size of one head",
    "normalized_shape": "what flows in says how many features there are; `axis` names the axes",
    "input_length": "the length comes from the input (`input x: int[100]`): leave it out",
    "input_shape": "shapes come from the `input` declaration and flow through the layers: leave it out",
    "batch_input_shape": "shapes come from the `input` declaration; a fixed batch is `input x: float[8] with batch=50`",
    "batch_shape": "shapes come from the `input` declaration; a fixed batch is `input x: float[8] with batch=50`",
    "input_dim": "shapes come from the `input` declaration and flow through the layers: leave it out",
    "batch_size": "it stands at the input (`input x: float[8] with batch=50`) or in `train { batch_size = 32 }`",
    "batch_first": "the batch axis comes first always: leave it out",
    "num_layers": "a call is one layer: write `-> LSTM(32, return_sequences=true) -> LSTM(32)`",
    "bidirectional": "write `Bidirectional(…)` around the layer",
    "betas": "they are two arguments: `beta_1=0.9, beta_2=0.999`",
    "inplace": "how memory is used is the target's matter: leave it out",
    "device": "it is chosen when the program runs (`--device cuda`): leave it out",
    "weights": "initial values come from initializers, trained ones from a weight file: leave it out",
    "loss": "a loss belongs to an output: `output y = … with loss=mse`",
    "metrics": "metrics belong to an output: `output y = … with loss=mse, metrics=[mae]`",
    "optimizer": "it belongs in the `train` section: `train { optimizer = adam }`",
    "nb_row": "the kernel is one argument: `kernel_size=(3, 3)`",
    "nb_col": "the kernel is one argument: `kernel_size=(3, 3)`",
    "kernel_dim1": "the kernel is one argument: `kernel_size=(3, 3, 3)`",
    "padding_idx": "`mask_zero=true` tells the layers behind it to skip the id 0",
    "padding_mode": "padding is with zeros; leave it out",
    "consume_less": "how it is computed is the target's matter: leave it out",
    "implementation": "how it is computed is the target's matter: leave it out",
    "mode": "Keras has it no more: leave it out",
    "momentum": "`SGD(momentum=0.9)` has a momentum; here `beta_1` plays its part",
    "nesterov": "`SGD(nesterov=true)` and `Nadam()` have it",
    "activation": "put `Activation(…)` behind it: only layers with weights take an activation",
}
# Without effect on shapes, so that a call that gives one of them can be checked further.
HARMLESS = frozenset(
    "in_channels in_features input_size num_features input_length input_shape batch_input_shape batch_shape "
    "input_dim batch_size batch_first inplace device weights loss metrics optimizer consume_less "
    "implementation activation".split()
)


def equivalent(category: str, name: str) -> str | None:
    """The name in this catalogue of what elsewhere is called `name`, or None."""
    if category != "layer":
        return _OPTIONS.get((category, name))
    found = _LAYERS.get(name)
    for pattern, today in _PATTERNS:
        match = re.fullmatch(pattern, name)
        if match:
            return match.expand(today)
    return found


def says_input_first(name: str, arguments: int) -> bool:
    """Whether the first of so many arguments of PyTorch's layer `name` is the size of what comes in."""
    return any(re.fullmatch(pattern, name) and arguments >= least for pattern, least in _FIRST_SAYS_INPUT)


def is_alike(name: str) -> bool:
    """Whether PyTorch's layer `name` takes, that first argument apart, what the layer here takes."""
    return name == "Linear" or any(re.fullmatch(pattern, name) for pattern, _ in _PATTERNS)


def layer_advice(name: str) -> str | None:
    """What to say of a layer that is no layer here, or None."""
    instead = written("layer", name)
    if instead is not None and instead.layer is None:
        return instead.advice
    return _LAYER_ADVICE.get(name)


def argument_name(name: str, known: list[str]) -> str | None:
    """Which of `known` an argument `name` of PyTorch stands for, or None."""
    return next((today for today in _ARGUMENT_NAMES.get(name, ()) if today in known), None)


def argument_advice(name: str, known: list[str]) -> str | None:
    """What to say of an argument that no spelling explains, or None."""
    if name == "momentum" and "beta_1" not in known:
        return None
    if name == "nesterov" and "learning_rate" not in known:
        return None
    return _ARGUMENTS.get(name)
