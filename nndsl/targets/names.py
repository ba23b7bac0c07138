"""Names in emitted programs: a name of the file as a Python name that collides with nothing."""

from __future__ import annotations

import keyword

RESERVED = frozenset(
    "self super len float int bool str dict list tuple set range zip print min max sum abs type isinstance property "
    "torch nn F np Tensor module parameter math argparse sys Path tf keras layers logits main numpy tensorflow os json "
    "maximum minimum NormalNoise UniformNoise AddPenalty "
    "ValueError TypeError SystemExit Exception None True False __name__ l O I".split()
)
"""Names that emitted files use themselves. (Python's own keywords are known to `keyword`.)"""

PROGRAM_NAMES = frozenset(
    "ARRAYS BATCH_SIZE Data optim Iterator Callable Iterable Mapping Any copy islice zip_longest "
    "measure penalty results constrain learning_rate make_optimizer make_watchers batches run predict load_data "
    "init_weights parser args device model names data held optimizer watchers stream start end epoch logs stops "
    "watcher parts outputs error mixed PRECISION scaler make_scaler".split()
)
"""What the training part of an emitted file defines: a model's class must not be called so."""

OWN_NAMES = frozenset({"name"})
"""What the function of a block in a Keras program takes besides its inputs."""

MODULE_ATTRIBUTES = frozenset(
    "T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double "
    "dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half "
    "ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters "
    "register_backward_hook register_buffer register_forward_hook register_forward_pre_hook "
    "register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook "
    "register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook "
    "register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to "
    "to_empty train training type xpu zero_grad activity_penalty output_masks reset_state reset_parameters".split()
)
"""What an attribute of an nn.Module must not be called (a test compares this with torch itself)."""


def python_name(name: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """`name`, with `_` behind it as long as it is a keyword, reserved or in `taken`."""
    while keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in RESERVED or name in taken:
        name += "_"
    return name


def attribute_name(path: str) -> str:
    """A layer's path as the attribute of a module: `a.b` stands for attribute b of module a."""
    name = path.replace(".", "_")
    while keyword.iskeyword(name) or name in MODULE_ATTRIBUTES or name.startswith("__"):
        name = f"layer{name}" if name.startswith("__") else name + "_"
    return name


def class_name(name: str, taken: frozenset[str] | set[str]) -> str:
    """The model's name as a class that shadows nothing in the emitted file."""
    rates = {name} if name.endswith("learning_rate") else set()  # there may be one for each optimizer
    return python_name(name, PROGRAM_NAMES | taken | rates)
