"""Initial weights in torch: Keras's defaults in one loop for all layers that have them, the rest spelled out behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nndsl import code
from nndsl.layers.emit import InitRecord, TorchScope
from nndsl.records import mutable, replace
from nndsl.targets.printing import block
from nndsl.targets.rewrite import transformed

_PLAIN = ("Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
_OF_LINEARS = ("MultiHeadAttention",)
"""Helpers that leave the linear layers inside to the file's usual initial weights."""
_SELF, _MODULE, _INIT = code.Name("self"), code.Name("module"), code.Name("init_weights")


@mutable
class Inits:
    """`function` is the text of `init_weights`, or "" where one loop does; `statements` end the `__init__` of each
    scope."""

    function: str
    statements: dict[int, tuple[code.Stmt, ...]]

    def of(self, scope: TorchScope) -> tuple[code.Stmt, ...]:
        return self.statements.get(id(scope), ())


@mutable
class _Plan:
    """The records of one class: `usual` start in the way of all layers, `special` by statements of their own."""

    scope: TorchScope
    usual: list[InitRecord]
    special: list[InitRecord]


def plan_inits(top: TorchScope, inner: Sequence[TorchScope]) -> Inits:
    """Splits the initial weights of all classes of a file into the usual ones (one loop over all modules) and the
    others. `inner` are the classes of blocks."""
    scopes = [top, *inner]
    own = [[record for record in scope.inits if not record.nested] for scope in scopes]
    usual = list(map(_usual_modules, own))
    biases = {record.module for records in own for record in records if _zero_bias(record)}
    count = sum(_modules_in(scope, name) for scope, found in zip(scopes, usual, strict=True) for name in found)
    kinds, usual_records = list[str](), [record for found in usual for record in found.values()]
    if count > 1 or biases - {"Linear"} or any(record.module in _OF_LINEARS for record in usual_records):
        usual_kinds = set(map(_kind, usual_records))
        kinds = [kind for kind in _PLAIN if kind in usual_kinds or kind in biases - {"Linear"}]
    no_bias = any(map(_without_bias, scopes))
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
    function = ""
    if any(_kind(record) in kinds for plan in plans[1:] for record in plan.special):
        # A loop of the model's over everything in it would undo what the blocks have done.
        function = _function(_usual_start(kinds, no_bias))
        for plan in plans:
            statements[id(plan.scope)][:0] = _own_modules(plan)
    elif kinds:
        loop = code.For(_MODULE, code.call("self.modules"), (_usual_start(kinds, no_bias),))
        statements[id(top)].insert(0, loop)
    return Inits(function, {key: tuple(found) for key, found in statements.items()})


def _modules_in(scope: TorchScope, name: str) -> int:
    """How many modules an attribute holds."""
    made = scope.modules.get(name)
    return len(made.items) if isinstance(made, code.DeferredList) else 1


def _own_modules(plan: _Plan) -> Iterator[code.Stmt]:
    """Calls of `init_weights` for the modules of one class, those of blocks left out."""
    owners = {_owner(record): record.module in _OF_LINEARS for record in plan.usual}
    lists = [name for name in owners if owners[name] or isinstance(plan.scope.modules[name], code.DeferredList)]
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
    of_items: list[list[InitRecord]] = [[] for _ in made.items]
    for record in records:
        of_items[_place_in(record.target)].append(record)
    bodies: list[tuple[code.Stmt, ...]] = []
    for i, group in enumerate(of_items):
        body: list[code.Stmt] = []
        for record in group:
            target = _put(record.target, code.index(place, i), item)
            of_item = replace(record, target=_by_name(target, item))
            body += record.weight.initializer.torch(scope, of_item)
        bodies.append(tuple(body))
    if all(other == bodies[0] for other in bodies):
        yield code.For(item, place, bodies[0])
        return
    for i, statements in enumerate(bodies):
        yield from _put(statements, item, code.index(place, i))


def _place_in(target: code.Expr) -> int:
    """Which item of its list a tensor belongs to: 2 of `self.convs[2].weight`."""
    found = 0
    while isinstance(target, code.Attr | code.Index | code.Call):
        if isinstance(target, code.Index) and isinstance(target.items[0], code.Literal):
            found = int(target.items[0].value or 0)
        target = target.func if isinstance(target, code.Call) else target.value
    return found


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
        if record.module in _OF_LINEARS and record.filled:
            found.setdefault(owner, record)
            continue
        name = record.weight.initializer.title()
        wanted = {"weight": "GlorotUniform", "bias": "Zeros"}.get(record.key)
        if record.module in _PLAIN and name == wanted and not record.weight.initializer.given and _same_fans(record):
            found.setdefault(owner, record)
        else:
            odd.add(owner)
    return {owner: record for owner, record in found.items() if owner not in odd}


def _kind(record: InitRecord) -> str:
    """The class of torch's that holds the tensor, in the end."""
    return "Linear" if record.module in _OF_LINEARS else record.module


def _zero_bias(record: InitRecord) -> bool:
    return record.key == "bias" and record.module in _PLAIN and record.weight.initializer.title() == "Zeros"


def _same_fans(record: InitRecord) -> bool:
    return all(kind == "permute" for kind, _ in record.steps)


def _without_bias(scope: TorchScope) -> bool:
    constructors = list(scope.modules.values())
    constructors += [item for made in constructors if isinstance(made, code.Call) for item in made.args[:1]]  # held
    return any(("bias", code.Literal(False)) in made.kwargs for made in constructors if isinstance(made, code.Call))


def _usual_start(kinds: list[str], no_bias: bool) -> code.Stmt:
    """Keras's defaults for one module, of these classes: Glorot uniform kernels, zero biases."""
    module, weight, bias = code.Name("module"), code.dotted("module.weight"), code.dotted("module.bias")
    classes = [code.dotted(f"nn.{kind}") for kind in kinds]
    test = classes[0] if len(classes) == 1 else code.Tuple(tuple(classes))
    zero: code.Stmt = code.Do(code.call("nn.init.zeros_", bias))
    if no_bias:
        zero = code.If(code.binary("is not", bias, None), (zero,))
    elif any(kind != "Linear" for kind in kinds):  # for type checkers, the bias of a convolution may be None
        zero = code.Do(code.call("nn.init.zeros_", code.call("module.get_parameter", "bias")))
    kernel = code.Do(code.call("nn.init.xavier_uniform_", weight), comment="as in Keras")
    return code.If(code.call("isinstance", module, test), (kernel, zero))


def _function(start: code.Stmt) -> str:
    text = '"""Keras\'s defaults: Glorot uniform kernels, zero biases."""'
    return f"def init_weights(module: nn.Module) -> None:\n    {text}\n{block([start], 1)}"


_TORCH_DEFAULTS = {
    ("BatchNorm", "weight"): "Ones",
    ("BatchNorm", "bias"): "Zeros",
    ("LayerNorm", "weight"): "Ones",
    ("LayerNorm", "bias"): "Zeros",
}


def _torch_default(record: InitRecord) -> bool:
    """Whether the module starts that way by itself."""
    name = record.weight.initializer.title()
    if record.key.startswith(("running_", "moving_", "renorm_")):
        return bool(name == ("Zeros" if record.key.endswith("mean") else "Ones"))
    module = "BatchNorm" if record.module.endswith("BatchNorm") else record.module
    return bool(_TORCH_DEFAULTS.get((module, record.key)) == name)
