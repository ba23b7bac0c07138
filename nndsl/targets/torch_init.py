"""Initial weights in torch: Keras's defaults in one small function for all layers that have them, the rest spelled out
behind the modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nndsl import code
from nndsl.layers.emit import InitRecord, TorchScope
from nndsl.targets.printing import block

_PLAIN = ("Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")


@dataclass(frozen=True)
class Inits:
    """`function` is the text of `init_weights`, or ""; `statements` end the `__init__` of each scope."""

    function: str
    statements: dict[int, tuple[code.Stmt, ...]]

    def of(self, scope: TorchScope) -> tuple[code.Stmt, ...]:
        return self.statements.get(id(scope), ())


def plan_inits(top: TorchScope, inner: Sequence[TorchScope]) -> Inits:
    """Splits the initial weights of all classes of a file into the usual ones (one function, applied to every module)
    and the others. `inner` are the classes of blocks."""
    scopes = [top, *inner]
    own = {id(scope): [record for record in scope.inits if not record.nested] for scope in scopes}
    usual = {id(scope): _usual_modules(own[id(scope)]) for scope in scopes}
    every = [record for records in own.values() for record in records]
    usual_kinds = {record.module for found in usual.values() for record in found.values()}
    function, kinds = "", list[str]()
    biases = {record.module for record in every if _zero_bias(record) and record.module != "Linear"}
    if sum(map(len, usual.values())) > 1 or biases:
        kinds = [k for k in _PLAIN if k in biases or k in usual_kinds]
        no_bias = any(map(_without_bias, scopes)) or any(kind != "Linear" for kind in kinds)
        function = _function(kinds, no_bias)
    statements: dict[int, tuple[code.Stmt, ...]] = {}
    for scope in scopes:
        special: list[code.Stmt] = []
        for record in own[id(scope)]:
            done = bool(kinds) and (
                _owner(record) in usual[id(scope)] or (_zero_bias(record) and record.module in kinds)
            )
            if done or record.filled or _torch_default(record):
                continue
            special += record.weight.initializer.torch(scope, record)
        statements[id(scope)] = tuple(special)
    if not kinds:
        return Inits(function, statements)
    clash = any(record.module in kinds and statements[id(scope)] for scope in inner for record in own[id(scope)])
    apply: code.Stmt = code.Do(code.call("self.apply", code.Name("init_weights")))
    if not clash:
        statements[id(top)] = (apply, *statements[id(top)])
        return Inits(function, statements)
    module = code.Name("module")
    each = code.For(module, code.call("self.children"), (code.Do(code.call("init_weights", module)),))
    for scope in scopes:
        if any(record.module in kinds for record in own[id(scope)]):
            statements[id(scope)] = (each, *statements[id(scope)])
    return Inits(function, statements)


def _owner(record: InitRecord) -> str:
    """The attribute of the module that holds the tensor."""
    target: code.Expr = record.target
    if isinstance(target, code.Call) and isinstance(target.func, code.Attr):  # self.conv.get_parameter("bias")
        target = target.func.value
    while isinstance(target, code.Index) or (isinstance(target, code.Attr) and target.value != code.Name("self")):
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
