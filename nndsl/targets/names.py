"""Names in emitted programs: a name of the file as a Python name that collides with nothing."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

RESERVED = frozenset(
    "self super len float int bool str dict list tuple set range zip print min max sum abs type isinstance property "
    "torch nn F np Tensor module parameter math argparse sys Path tf keras layers logits main numpy tensorflow os json "
    "maximum minimum NormalNoise UniformNoise AddPenalty "
    "ValueError TypeError SystemExit Exception RuntimeError ImportError None True False __name__ __doc__ l O I "
    "all any enumerate format getattr hasattr iter map next object open reversed round sorted vars "
    "contextlib copy csv functional_call functools importlib io re training cls kwargs __class__".split()
)
"""Names that emitted files use themselves. (Python's own keywords are known to `keyword`.)"""

PROGRAM_NAMES = frozenset(
    "ARRAYS BATCH_SIZE Data optim Iterator Callable Iterable Mapping Any copy islice zip_longest "
    "measure penalty results constrain learning_rate make_optimizer make_watchers batches run predict load_data "
    "init_weights parser args device model names data held optimizer watchers stream start end epoch logs stops "
    "watcher parts outputs error mixed PRECISION scaler make_scaler "
    "weights state values splits look w annotations Collection Sequence INPUTS OUTPUTS SEED SHAPES "
    "build_model compile_model evaluate file batch_size steps".split()
)
"""What the training part of an emitted file defines: a model's class must not be called so."""

HELPERS = frozenset(
    "Adafactor Adagrad Adam Adamax AddPenalty AlphaDropout BatchNorm CSVLogger CenteredRMSprop ConvLSTMCell "
    "EarlyStopping Einsum FrozenBatchNorm FrozenGroupQueryAttention FrozenMultiHeadAttention Ftrl GRUCell "
    "GatedAttention GatedGroupedAttention GaussianDropout GaussianNoise GroupedAttention IntegerLookup JointLamb "
    "LSTMCell Lamb Lion MaskedBatchNorm ModelCheckpoint MomentumRMSprop MultiHeadAttention MultiOptimizer Muon "
    "Nadam NesterovSGD NormalNoise Normalization PartialBatchNorm ProjectedAttention RMSprop RecurrentCell "
    "ReduceLROnPlateau RenormBatchNorm SGD ScheduleFreeAdamW SeededDropout SharedAlphaDropout SimpleRNNCell "
    "SpectralNormalization StackedCells TensorBoard TerminateOnNaN UniformNoise Watcher WholeWeights as_float32 "
    "assign_ attend auto_contrast average_pool_same causal_mask celu center_crop crop_to_aspect dense_gradient "
    "dtype_policy equalize_tiles fan_of gelu init_linear init_recurrent keep_projections keep_result keras_layout "
    "masked_scan max_norm_ maximum min_max_norm_ minimum one_hot orthogonality_penalty orthogonalized pad_same "
    "pad_to_aspect projection_results reorder_blocks resize_area resize_bicubic resize_lanczos root_mean_square "
    "scaled_normal_ scaled_uniform_ scan selu sequence_dropout shared_dropout signs sparse_plus spread "
    "truncated_normal_ unit_norm_ window_mask".split()
)
"""The functions and classes that layers, and the code of blocks, may call in emitted files."""

TRAINING_HELPERS = frozenset(
    "absolute_error area_under average_weights best_where binary_accuracy binary_crossentropy "
    "binary_focal_crossentropy categorical_crossentropy categorical_focal_crossentropy categorical_hinge circle "
    "clip_global_norm clip_norm clip_values concordance_correlation confusion confusion_evenly confusion_matrix "
    "cosine_similarity ctc decay_weights dice early_epsilon f_counts f_score gain_curve gather_gradients "
    "generalized_crossentropy hinge kl_divergence label_mean log_cosh log_probabilities masked_mean "
    "mean_absolute_percentage_error mean_iou mean_of_positive mean_squared_logarithmic_error only_top_k "
    "other_parameters pearson_correlation poisson precision_of precision_recall_area precision_recall_curve "
    "r2_score r2_sums ratio recall_of roc_curve scheduled single_cosine sparse_top_k_categorical_accuracy "
    "specificity_of squared_error squared_hinge summary_writer top_k_categorical_accuracy tversky use_averages "
    "weighted_sum write_whole".split()
)
"""Those that only the training part calls, where no name of the file is a variable. (A test compares both sets with the
templates.)"""

OWN_NAMES = frozenset({"name"})
"""What the function of a block in a Keras program takes besides its inputs."""

MODULE_ATTRIBUTES = frozenset(
    "T_destination activity_penalty add_module apply bfloat16 buffers call_super_init children compile cpu cuda "
    "double dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half "
    "ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters output_masks "
    "parameters register_backward_hook register_buffer register_forward_hook register_forward_pre_hook "
    "register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook "
    "register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook "
    "register_state_dict_pre_hook requires_grad_ reset_parameters reset_state set_extra_state set_submodule "
    "share_memory state_dict to to_empty train training type xpu zero_grad".split()
)
"""What an attribute of an nn.Module must not be called (a test compares this with torch itself)."""

_LIKE_MANGLED = re.compile(r"(layer_)*layer__")


def endings(names: Iterable[str]) -> dict[str, str]:
    """What makes another name of each, and of what differs from it in `_` at its end: two names stay two."""
    found: dict[str, str] = {}
    for name in sorted(names):
        plain = name.rstrip("_")
        found[plain] = max(found.get(plain, ""), name[len(plain) :] + "_")
    return found


_KEYWORDS = frozenset([*keyword.kwlist, *keyword.softkwlist]) - {"_"}
_VARIABLES = endings(RESERVED | HELPERS | _KEYWORDS)
# A method so called would hide what the signatures behind it mean.
_TYPES = frozenset("dict tuple list str int bool Tensor torch nn".split())
_ATTRIBUTES = endings(MODULE_ATTRIBUTES | _TYPES | frozenset(keyword.kwlist))
_DEFINED = endings(RESERVED | HELPERS | TRAINING_HELPERS | _KEYWORDS | PROGRAM_NAMES)


def python_name(name: str, reserved: frozenset[str] = frozenset()) -> str:
    """`name`, with `_` behind it where it is a keyword or reserved, here or everywhere (`match` is `match_`, and
    `match_` is `match__`); a class has its own spelling of what begins with `__`."""
    name = _not_mangled(name)
    return name + _VARIABLES.get(plain := name.rstrip("_"), "_" if plain in reserved else "")


def attribute_name(path: str) -> str:
    """A layer's path as the attribute of a module: `a.b` stands for attribute b of module a. What begins with `_` is
    none of torch's own, nor one that Python spells otherwise in a class."""
    name = _not_mangled(path.replace(".", "_"))
    return name + _ATTRIBUTES.get(name.rstrip("_"), "_" if name.startswith("_") else "")


def class_name(name: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """A name of the file as a class or function of the emitted one, which shadows nothing there."""
    rate = "_" if name.endswith("learning_rate") else ""  # there may be one for each optimizer
    return _free(name + _DEFINED.get(name.rstrip("_"), rate), taken)


def _not_mangled(name: str) -> str:
    if name.startswith("__"):
        return f"layer{name}"
    return f"layer_{name}" if _LIKE_MANGLED.match(name) else name


def _free(name: str, taken: frozenset[str] | set[str]) -> str:
    while name in taken:
        name += "_"
    return name
