"""Files of the emitted torch programs (.pt): the state of the model and that of its optimizer, or a state_dict alone.

They are read with `weights_only`: what a stranger's file could run is never run.
"""

from __future__ import annotations

import io
import os
import pickletools
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nndsl.interop.contents import Array, Contents, Item, Wanted, Weights, compare, taken
from nndsl.interop.load import Loaded, load_program
from nndsl.interop.optimizer_names import ITERATIONS
from nndsl.interop.optimizer_state import canonical_state, put_state
from nndsl.interop.problem import WrongWeights
from nndsl.interop.weights import canonical, put
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.targets.training_settings import trains

_SLACK = 2**16
_LARGEST = 100_000
_NESTING = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "FROZENSET", "REDUCE", "NEWOBJ", "NEWOBJ_EX", "BUILD", "BINPERSID"}
_GLOBAL = re.compile(r"GLOBAL (\S+)")


def read(path: str) -> Contents:
    """What `torch.save` has written: a state_dict, or (state_dict of the model, state_dict of its optimizer). Raises
    WrongWeights, OSError."""
    found = _load(path)
    state: dict[str, Any] = {}
    if isinstance(found, (tuple, list)) and len(found) == 2:
        found, state = found
        if not _is_optimizer(state):
            raise WrongWeights(f"the second part of {path} is no state of an optimizer")
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise WrongWeights(
            f"{path} holds {_described(found)}, not the weights of a model",
            help="`torch.save(model.state_dict(), 'NAME.pt')` writes what can be read",
        )
    named = {str(name): _item(name, tensor, path) for name, tensor in found.items()}
    kept = {
        f"{number}/{name}": _item(name, torch.as_tensor(value), path)
        for number, parts in state.get("state", {}).items()
        for name, value in parts.items()
    }
    return Contents("torch", named, kept, raw=(found, state))


def to_canonical(contents: Contents, path: str, program: CheckedProgram, model: Model, *, alone: bool) -> Weights:
    """The weights of a file by canonical name, and the optimizer's state but for `alone`. Raises WrongWeights."""
    loaded = load_program(program, model.name)
    net = loaded.cls()
    held = {entry.key: entry.path for entry in loaded.state}
    own = net.state_dict()
    wanted = {
        key: Wanted(tuple(tensor.shape), _name(tensor), held.get(key, "")) for key, tensor in own.items()
    }  # fmt: skip
    warnings = compare(contents.weights, wanted, file=path, owner=f"`{model.name}`", code="NN1002")
    values = {key: torch.from_numpy(taken(contents.weights[key], want).copy()) for key, want in wanted.items()}
    _check_unused(values, own, held, path)
    net.load_state_dict(values)
    _, state = contents.raw
    optimizer = None
    if state and trains(model) and not alone:
        optimizer = loaded.module.make_optimizer(net)
        _check_state(state, optimizer, loaded, net, model, path)
        optimizer.load_state_dict(state)
    found = gathered(net, loaded, model, optimizer)
    found.warnings = warnings
    return found


def packed(weights: Weights, program: CheckedProgram, model: Model) -> bytes:
    """The file that the emitted program reads, as bytes: where it trains, with the state of an optimizer, a fresh one
    if `weights` has none."""
    loaded = load_program(program, model.name)
    net = loaded.cls()
    fill(net, loaded, weights.values)
    stream = io.BytesIO()
    if trains(model):
        optimizer = loaded.module.make_optimizer(net)
        fill_state(optimizer, net, loaded, model, weights.state)
        torch.save((net.state_dict(), optimizer.state_dict()), stream)
    else:
        torch.save(net.state_dict(), stream)
    return stream.getvalue()


def fill(net: nn.Module, loaded: Loaded, values: Mapping[str, Array]) -> None:
    """Gives the model its weights."""
    put(net, loaded.state, {name: torch.from_numpy(array) for name, array in values.items()})


def fill_state(optimizer: Any, net: nn.Module, loaded: Loaded, model: Model, state: Mapping[str, Array]) -> None:
    """Gives the optimizer its state, if there is one."""
    if state:
        values = {name: torch.from_numpy(np.asarray(array)) for name, array in state.items()}
        put_state(model.training.optimizer, net, optimizer, loaded.state, values)


def gathered(net: nn.Module, loaded: Loaded, model: Model, optimizer: Any = None) -> Weights:
    """What a model of the program holds, and the optimizer, if there is one."""
    found = Weights(_arrays(canonical(net, loaded.state)))
    if optimizer is not None:
        found.state = _arrays(canonical_state(model.training.optimizer, net, optimizer, loaded.state))
    return found


# ------------------------------------------------------------------------------------------------- reading


def _load(path: str) -> Any:
    with open(path, "rb") as stream:  # torch's own errors do not tell a missing file from a damaged one
        stream.read(1)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            pickles = [entry for entry in entries if entry.filename.rsplit("/", 1)[-1] == "data.pkl"]
            stored = {entry.compress_type for entry in entries} <= {zipfile.ZIP_STORED}
            texts = [archive.read(entry) for entry in pickles] if stored else []
    except (zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError, EOFError):
        raise WrongWeights(
            f"{path} is no file of torch.save, or is damaged",
            help="files of PyTorch before 1.6 are not read: load it with torch and save it anew",
        ) from None
    if not stored or sum(entry.file_size for entry in entries) > os.path.getsize(path) + _SLACK:
        raise WrongWeights(f"{path} is packed, which torch.save never does: it is refused", code="NN1003")
    if any(map(_is_nested, texts)):
        raise WrongWeights(f"{path} is more than weights: it holds tuples in tuples, many times over", code="NN1003")
    try:
        # Mapped: some versions of torch believe what a file claims of its parts, and read the memory beyond them.
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except MemoryError:
        raise WrongWeights(f"{path} asks for more memory than there is: it is refused", code="NN1003") from None
    except Exception as error:  # torch raises what it likes on damaged files
        found = _GLOBAL.search(str(error))
        if found is not None:
            raise WrongWeights(
                f"{path} is more than weights: it asks for the Python object `{found[1]}`, which is never loaded",
                code="NN1003",
                help="`torch.save(model.state_dict(), 'NAME.pt')` writes weights alone",
            ) from None
        reason = str(error).split("\n")[0][:200]
        raise WrongWeights(f"{path} is no file of weights, or is damaged: {reason}") from None


def _is_nested(text: bytes) -> bool:
    """Whether a pickle makes a tuple that is very large when all that is in it is counted as often as it is there: to
    hash or show one of a few lines can take for ever. Nothing is unpickled for it."""
    memo: dict[Any, int] = {}
    stack: list[int | None] = []  # the size of each value, and None for a mark
    try:
        for code, argument, _ in pickletools.genops(text):
            if code.name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo.get(argument, 1))
            elif code.name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
                memo[len(memo) if argument is None else argument] = stack[-1] or 1
            elif code.name == "MARK":
                stack.append(None)
            else:
                size = 1
                below = len(code.stack_before)
                if pickletools.markobject in code.stack_before:
                    below = code.stack_before.index(pickletools.markobject)
                    while (held := stack.pop()) is not None:
                        size += held
                for _ in range(below):
                    size += stack.pop() or 0
                if code.name not in _NESTING:
                    size = 1
                if size > _LARGEST:
                    return True
                stack += [size] * len(code.stack_after)
    except (ValueError, IndexError):  # it is no pickle, which torch tells of
        pass
    return False


def _item(name: object, tensor: Tensor, path: str) -> Item:
    if not isinstance(name, str):
        raise WrongWeights(f"{path} has a weight called {name!r}, which is no name")
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        raise WrongWeights(f"`{name}` in {path} is no plain tensor, but {tensor.layout}")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        message = f"`{name}` in {path} claims {tensor.numel():,} numbers and has fewer: it is refused"
        raise WrongWeights(message, code="NN1003")

    def load() -> Array:
        try:
            array: Array = tensor.detach().numpy()
            return array
        except (TypeError, RuntimeError):
            raise WrongWeights(f"`{name}` holds {_name(tensor)} numbers, which are not read") from None

    return Item(tuple(tensor.shape), _name(tensor), load)


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _described(found: object) -> str:
    if isinstance(found, dict):
        wrong = next((name for name, value in found.items() if not isinstance(value, Tensor)), None)
        return f"a dict in which `{wrong}` is no tensor"
    return f"a {type(found).__name__}"


def _is_optimizer(state: object) -> bool:
    """Whether it is built as an optimizer's state_dict is."""
    if not isinstance(state, dict) or set(state) != {"state", "param_groups"}:
        return False
    kept, groups = state["state"], state["param_groups"]
    return (
        isinstance(kept, dict)
        and all(isinstance(number, int) and isinstance(parts, dict) for number, parts in kept.items())
        and all(isinstance(v, (Tensor, int, float)) for parts in kept.values() for v in parts.values())
        and isinstance(groups, list)
        and all(isinstance(group, dict) and isinstance(group.get("params"), list) for group in groups)
    )


def _check_unused(values: Mapping[str, Tensor], own: Mapping[str, Tensor], held: Mapping[str, str], path: str) -> None:
    """What torch has and Keras has not (the second bias of an LSTM) must be as in a new model."""
    notes = [
        f"`{key}` is not 0, as it is in the emitted program"
        for key, tensor in values.items()
        if key not in held and tensor.is_floating_point() and not torch.equal(tensor, own[key])
    ]
    if notes:
        raise WrongWeights(f"{path} has weights that Keras's layers do not have", code="NN1002", notes=notes)


def _check_state(
    state: dict[str, Any], optimizer: Any, loaded: Loaded, net: nn.Module, model: Model, path: str
) -> None:
    """Raises WrongWeights where the optimizer's state is not what the program's own would have."""
    entry = model.training.optimizer
    start = canonical_state(entry, net, optimizer, loaded.state)
    needed = [set(group) - {"params"} for group in optimizer.state_dict()["param_groups"]]
    put_state(entry, net, optimizer, loaded.state, start | {ITERATIONS: torch.tensor(1)})
    own = optimizer.state_dict()
    where = list(_places(net, optimizer))
    notes = []
    for group, mine, names in zip(state["param_groups"], own["param_groups"], needed, strict=False):
        if group["params"] != mine["params"]:
            notes.append(f"it is of {len(group['params'])} parameters, and the model has {len(mine['params'])}")
        # Hooks add some at the first step.
        present = [name for name in mine if name in names or (name in group and name != "params")]
        wrong = [name for name in present if not _is_alike(group.get(name), mine[name])]
        notes += [f"the setting `{name}` is missing or of another kind" for name in wrong]
    there, here = (len(groups["param_groups"]) for groups in (state, own))
    if there != here:
        notes.append(f"it has {there} groups of parameters, and the program {'one' if here == 1 else here}")
    for number, parts in state["state"].items():
        mine = own["state"].get(number, {})
        at = where[number] if 0 <= number < len(where) else str(number)
        notes += [f"missing for `{at}`: `{name}`" for name in mine if name not in parts]
        notes += [f"not of {type(entry).__name__}: `{name}` of `{at}`" for name in parts if name not in mine]
        for name in mine.keys() & parts.keys():
            given, ours = torch.as_tensor(parts[name]), torch.as_tensor(mine[name])
            if given.shape != ours.shape or given.is_floating_point() < ours.is_floating_point():
                notes.append(f"`{name}` of `{at}` is {[*given.shape]}, and the model's is {[*ours.shape]}")
    if notes:
        raise WrongWeights(
            f"the state of the optimizer in {path} does not fit the {type(entry).__name__} of `{model.name}`",
            code="NN1004", notes=notes, help="`--weights-only` leaves the state out",
        )  # fmt: skip


def _is_alike(there: object, here: object) -> bool:
    """Whether a setting is of the kind that the program's own is: also each tensor in a list."""
    if isinstance(here, Tensor):
        return isinstance(there, Tensor) and there.shape == here.shape and there.dtype == here.dtype
    if isinstance(here, (list, tuple)):
        return isinstance(there, type(here)) and len(there) == len(here) and all(map(_is_alike, there, here))
    return type(there) is type(here)


def _places(net: nn.Module, optimizer: Any) -> Iterator[str]:
    """The names of the parameters, in the order in which the optimizer numbers them."""
    names = {parameter: name for name, parameter in net.named_parameters()}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            yield names[parameter]
