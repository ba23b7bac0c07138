"""Weight files of every format: as they are, by a model's canonical names, and from one into another.

The format goes by the ending of the name. What a format needs is imported when a file of it is met.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from nndsl.files import write_bytes
from nndsl.interop.contents import Contents, Wanted, Weights, compare, no_numbers, taken
from nndsl.interop.optimizer_names import ITERATIONS, counts_steps, shapes_of
from nndsl.interop.problem import WrongWeights, unreadable
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.passes.weight_layout import changed, layout
from nndsl.targets.training_settings import trains

ENDINGS = {
    ".safetensors": "safetensors",
    ".weights.h5": "h5",
    ".h5": "h5",
    ".keras": "keras",
    ".pt": "torch",
    ".pth": "torch",
}
KINDS = {
    "safetensors": "safetensors, by the canonical names",
    "torch": "PyTorch",
    "h5": "weights of Keras",
    "keras": "a model of Keras",
}


def ending_of(path: str) -> str | None:
    """The ending of a weight file's name, or None where it is no known one."""
    return next((ending for ending in ENDINGS if path.lower().endswith(ending)), None)


def read(path: str) -> Contents:
    """A file as it is; its ending must be known. Raises WrongWeights, ModuleNotFoundError."""
    try:
        if not stat.S_ISREG(mode := os.stat(path).st_mode) and not stat.S_ISDIR(mode):
            raise WrongWeights(
                f"{path} is a pipe or a device, which may never end", code="NN0701", help="save it as a file first"
            )
        return _read(path)
    except OSError as error:
        raise unreadable(path, error) from None


def _read(path: str) -> Contents:
    ending = ending_of(path)
    assert ending is not None
    kind = ENDINGS[ending]
    if kind == "torch":
        from nndsl.interop import torch_file

        return torch_file.read(path)
    if kind in ("h5", "keras"):
        from nndsl.interop import hdf5_file

        return hdf5_file.read(path)
    from nndsl.interop import safetensors_file

    return safetensors_file.read(path)


def load(path: str, program: CheckedProgram, model: Model, *, alone: bool = False) -> Weights:
    """A file's weights by the model's canonical names, all of them and no others, and the state of its optimizer, if
    the file has it, the model trains and not `alone`. Raises WrongWeights, ModuleNotFoundError, and what
    `workers.run` raises."""
    contents = read(path)
    if contents.format == "torch":
        from nndsl.interop import torch_file

        found = torch_file.to_canonical(contents, path, program, model, alone=alone)
    elif contents.format == "safetensors":
        found = _from_safetensors(contents, path, model, alone=alone)
    else:
        from nndsl.interop import keras_weights

        found = keras_weights.to_canonical(contents, path, program, model, alone=alone)
    found.about = contents.about
    odd = no_numbers(found.values | found.state)
    if odd:
        more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
        found.warnings.append(("NN1005", f"`{odd[0]}`{more}: some values are no numbers (nan), or infinite"))
    return found


def store(path: str, weights: Weights, program: CheckedProgram, model: Model, *, source: str | None = None) -> None:
    """Writes a file of the format of its ending, as a whole or not at all; never over `source`. Raises
    nndsl.files.CannotWrite, ModuleNotFoundError, and what `workers.run` raises."""
    ending = ending_of(path)
    assert ending is not None
    kind = ENDINGS[ending]
    if kind == "torch":
        from nndsl.interop import torch_file

        data = torch_file.packed(weights, program, model)
    elif kind == "safetensors":
        from nndsl.interop import safetensors_file

        data = safetensors_file.packed(weights, model=model.name, optimizer=type(model.training.optimizer).__name__)
    else:
        from nndsl.interop import keras_weights

        data = keras_weights.packed(weights, program, model, ending)
    write_bytes(path, data, source)


def _from_safetensors(contents: Contents, path: str, model: Model, *, alone: bool) -> Weights:
    from nndsl.interop import safetensors_file

    safetensors_file.check_origin(contents, path)
    wanted = dict(_weights_of(model))
    # A layer may be called `optimizer`.
    weights = contents.weights | {name: item for name, item in contents.state.items() if name in wanted}
    state = {name: item for name, item in contents.state.items() if name not in wanted}
    owner = f"`{model.name}`"
    warnings = compare(weights, wanted, file=path, owner=owner, code="NN1002")
    found = Weights({name: taken(weights[name], want) for name, want in wanted.items()}, warnings=warnings)
    if state and trains(model) and not alone:
        parts = dict(_state_of(model))
        entry = model.training.optimizer
        compare(
            state, parts, file=f"the state of {_optimizer_of(contents)} in {path}",
            owner=f"the {type(entry).__name__} of {owner}", code="NN1004", help="`--weights-only` leaves the state out",
            optional=() if counts_steps(entry) else (ITERATIONS,),
        )  # fmt: skip
        found.state = {name: taken(state[name], want) for name, want in parts.items() if name in state}
    return found


def _optimizer_of(contents: Contents) -> str:
    name = contents.about.get("optimizer")
    return name if isinstance(name, str) and name.isidentifier() else "the optimizer"


def _weights_of(model: Model) -> Iterator[tuple[str, Wanted]]:
    for layer in layout(model):
        for slot in layer.slots:
            yield slot.path, Wanted(slot.shape, model.float_dtype if slot.dtype == "float" else slot.dtype)


def _state_of(model: Model) -> Iterator[tuple[str, Wanted]]:
    for name, shape in shapes_of(model.training.optimizer, changed(layout(model))).items():
        yield name, Wanted(shape, "int64" if name == ITERATIONS else model.float_dtype)


__all__ = ["ENDINGS", "KINDS", "Contents", "Weights", "WrongWeights", "ending_of", "load", "read", "store"]
