"""Initial weights in torch: Keras's defaults in one small function for all layers that have them, the rest spelled out
behind the modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nndsl import code
from nndsl.layers.emit import InitRecord, TorchScope
from nndsl.targets.printing import block
from nndsl.targets.rewrite import transformed

_PLAIN = ("Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
_SELF, _MODULE, _INIT = code.Name("self"), code.Name("module"), code.Name("init_weights")


@dataclass(frozen=True)
class Inits:
    """`function` is the text of `init_weights`, or ""; `statements` end the `__init__` of each scope."""

    function: str
    statements: dict[int, tuple[code.Stmt, ...]]

    def of(self, scope: TorchScope) -> tuple[code.Stmt, ...]:
        return self.statements.get(id(scope), ())


@dataclass
class _Plan:
    """The records of one class: `usual` are seen to by `init_weights`, `special` by statements of their own."""

    scope: TorchScope
    usual: list[InitRecord]
    special: list[InitRecord]


def plan_inits(top: TorchScope, inner: Sequence[TorchScope]) -> Inits:
    """Splits the initial weights of all classes of a file into the usual ones (one function, applied to every module)
    and the others. `inner` are the classes of blocks."""
    scopes = [top, *inner]
    own = [[record for record in scope.inits if not record.nested] for scope in scopes]
    usual = list(map(_usual_modules, own))
    biases = {record.module for records in own for record in records if _zero_bias(record)}
    function, kinds = "", list[str]()
    if sum(map(len, usual)) > 1 or biases - {"Linear"}:
        usual_kinds = {record.module for found in usual for record in found.values()}
        kinds = [kind for kind in _PLAIN if kind in usual_kinds or kind in biases - {"Linear"}]
        no_bias = any(map(_without_bias, scopes)) or any(kind != "Linear" for kind in kinds)
        function = _function(kinds, no_bias)
    plans: list[_Plan] = []
    for scope, records, modules in zip(scopes, own, usual, strict=True):
        plan = _Plan(scope, [], [])
        for record in records:
            if kinds and (_owner(record) in modules or (_zero_bias(record) and record.module in kinds)):
                plan.usual.append(record)
            elif not record.filled and not _torch_default(record):
                plan.special.append(record)
        plans.append(plan)
    statements = {id(plan.scope): list(_spelled_out(plan.scope, plan.special)) for plan in plans}
    if any(record.module in kinds for plan in plans[1:] for record in plan.special):
        # What the model applied to everything in it would undo what the blocks have done.
        for plan in plans:
            statements[id(plan.scope)][:0] = _own_modules(plan)
    elif kinds:
        statements[id(top)].insert(0, code.Do(code.call("self.apply", _INIT)))
    return Inits(function, {key: tuple(found) for key, found in statements.items()})


def _own_modules(plan: _Plan) -> Iterator[code.Stmt]:
    """Calls of `init_weights` for the modules of one class, those of blocks left out."""
    owners = dict.fromkeys(map(_owner, plan.usual))
    lists = [name for name in owners if isinstance(plan.scope.modules[name], code.DeferredList)]
    single = [name for name in owners if name not in lists]
    if len(single) > 2:
        call = code.Do(code.call(_INIT, _MODULE))
        yield code.For(_MODULE, code.call("self.children"), (call,))
    else:
        yield from (code.Do(code.call(_INIT, code.Attr(_SELF, name))) for name in single)
    for name in lists:
        yield code.Do(code.method(code.Attr(_SELF, name), "apply", _INIT))


# ---------------------------------------------------------------------------------------------- special weights


def _spelled_out(scope: TorchScope, records: Iterable[InitRecord]) -> Iterator[code.Stmt]:
    """Statements for each record; one loop for all items of a list, where they are the same for each."""
    groups: dict[tuple[str, int], list[InitRecord]] = {}
    for record in records:
        owner = _owner(record)
        is_list = isinstance(scope.modules.get(owner), code.DeferredList)
        groups.setdefault((owner, 0 if is_list else id(record)), []).append(record)
    for (owner, single), group in groups.items():
        if single:
            yield from group[0].weight.initializer.torch(scope, group[0])
        else:
            yield from _for_list(scope, owner, group)


def _for_list(scope: TorchScope, name: str, records: list[InitRecord]) -> Iterator[code.Stmt]:
    """Statements for the items of a list."""
    place, item = code.Attr(_SELF, name), _MODULE if records[0].key else code.Name("parameter")
    made = scope.modules[name]
    assert isinstance(made, code.DeferredList)
    bodies: list[list[code.Stmt]] = [[] for _ in made.items]
    for record in records:
        number, target = _of_item(record.target, place, item)
        if number is not None:
            of_item = replace(record, target=_by_name(target, item))
            bodies[number] += record.weight.initializer.torch(scope, of_item)
    if all(other == bodies[0] for other in bodies):
        yield code.For(item, place, tuple(bodies[0]))
        return
    for i, statements in enumerate(bodies):
        yield from _put(statements, item, code.index(place, i))


def _of_item(target: code.Expr, place: code.Expr, item: code.Name) -> tuple[int | None, code.Expr]:
    """(the position of the item of a list that holds a tensor, the tensor as a part of `item`)."""
    found: list[int] = []

    def rule(part: Any) -> Any:
        if not isinstance(part, code.Index) or part.value != place:
            return None
        found.append(int(_number(part)))
        return item

    inner = transformed(target, rule)
    return (found[0] if found else None), inner


def _put(node: Any, old: code.Expr, new: code.Expr) -> Any:
    return transformed(node, lambda part: new if part == old else None)


def _by_name(target: code.Expr, item: code.Name) -> code.Expr:
    """The tensor of an item of a list, got by its name: type checkers know of the item only that it is a module."""
    path: list[str] = []
    inner = target
    while isinstance(inner, code.Attr | code.Index):
        path.insert(0, inner.name if isinstance(inner, code.Attr) else _number(inner))
        inner = inner.value
    if inner != item or not path:
        return target  # a parameter, or got by its name already
    getter = "get_buffer" if path[-1].startswith("running_") else "get_parameter"
    return code.method(item, getter, ".".join(path))


def _number(index: code.Index) -> str:
    [position] = index.items
    assert isinstance(position, code.Literal)
    return str(position.value)


# ------------------------------------------------------------------------------------------------- usual weights


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
