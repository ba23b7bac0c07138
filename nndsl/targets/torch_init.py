"""Initial weights in torch: Keras's defaults in one small function for all layers that have them, the rest spelled out
behind the modules."""

from __future__ import annotations

from dataclasses import dataclass

from nndsl import code
from nndsl.layers.emit import InitRecord, TorchScope
from nndsl.targets.printing import block

_PLAIN = ("Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")


@dataclass(frozen=True)
class Inits:
    """`function` is the text of `init_weights`, or ""; `statements` stand at the end of `__init__`."""

    function: str
    statements: tuple[code.Stmt, ...]


def init_statements(scope: TorchScope) -> Inits:
    """Splits `scope.inits` into the usual ones (one function, applied to every module) and the others."""
    usual = _usual_modules(scope.inits)
    statements: list[code.Stmt] = []
    function = ""
    biases = {record.module for record in scope.inits if _zero_bias(record) and record.module != "Linear"}
    if len(usual) > 1 or biases:
        kinds = [k for k in _PLAIN if k in biases or any(record.module == k for record in usual.values())]
        no_bias = _without_bias(scope) or any(kind != "Linear" for kind in kinds)
        function = _function(kinds, no_bias)
        statements.append(code.Do(code.call("self.apply", code.Name("init_weights"))))
    else:
        usual, kinds = {}, []
    for record in scope.inits:
        done = _owner(record) in usual or (_zero_bias(record) and record.module in kinds)
        if done or record.filled or _torch_default(record):
            continue
        statements += record.weight.initializer.torch(scope, record)
    return Inits(function, tuple(statements))


def _owner(record: InitRecord) -> str:
    """The attribute of the module that holds the tensor."""
    target: code.Expr = record.target
    if isinstance(target, code.Call) and isinstance(target.func, code.Attr):  # self.conv.get_parameter("bias")
        target = target.func.value
    while isinstance(target, code.Attr) and target.value != code.Name("self"):
        target = target.value
    return target.name if isinstance(target, code.Attr) else ""


def _usual_modules(records: list[InitRecord]) -> dict[str, InitRecord]:
    """The modules of torch's plain classes whose weights all start as Keras starts them by default, where the same
    fans come out of torch's layout."""
    found: dict[str, InitRecord] = {}
    odd: set[str] = set()
    for record in records:
        owner = _owner(record)
        name = record.weight.initializer.title()
        wanted = {"weight": "GlorotUniform", "bias": "Zeros"}.get(record.key)
        if record.module in _PLAIN and name == wanted and not record.weight.initializer.given and _same_fans(record):
            found.setdefault(owner, record)
        else:
            odd.add(owner)
    return {owner: record for owner, record in found.items() if owner not in odd}


def _zero_bias(record: InitRecord) -> bool:
    return record.key == "bias" and record.module in _PLAIN and record.weight.initializer.title() == "Zeros"


def _same_fans(record: InitRecord) -> bool:
    return all(kind == "permute" for kind, _ in record.steps)


def _without_bias(scope: TorchScope) -> bool:
    for constructor in scope.modules.values():
        if isinstance(constructor, code.Call) and ("bias", code.Literal(False)) in constructor.kwargs:
            return True
    return False


def _function(kinds: list[str], no_bias: bool) -> str:
    module, weight, bias = code.Name("module"), code.dotted("module.weight"), code.dotted("module.bias")
    classes = [code.dotted(f"nn.{kind}") for kind in kinds]
    test = classes[0] if len(classes) == 1 else code.Tuple(tuple(classes))
    zero: code.Stmt = code.Do(code.call("nn.init.zeros_", bias))
    if no_bias:
        zero = code.If(code.binary("is not", bias, None), (zero,))
    body = code.If(code.call("isinstance", module, test), (code.Do(code.call("nn.init.xavier_uniform_", weight)), zero))
    text = '"""Keras\'s defaults: Glorot uniform kernels, zero biases."""'
    return f"def init_weights(module: nn.Module) -> None:\n    {text}\n{block([body], 1)}"


_TORCH_DEFAULTS = {
    ("BatchNorm", "weight"): "Ones",
    ("BatchNorm", "bias"): "Zeros",
    ("LayerNorm", "weight"): "Ones",
    ("LayerNorm", "bias"): "Zeros",
}


def _torch_default(record: InitRecord) -> bool:
    """Whether the module starts that way by itself."""
    name = record.weight.initializer.title()
    if record.key in ("running_mean", "running_var", "moving_mean", "moving_variance"):
        return bool(name == ("Zeros" if record.key.endswith("mean") else "Ones"))
    module = "BatchNorm" if record.module in ("MaskedBatchNorm", "FrozenBatchNorm") else record.module
    return bool(_TORCH_DEFAULTS.get((module, record.key)) == name)
