"""Small clean-ups of statements: activations and norms around the call that they follow, results returned at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from nndsl import code
from nndsl.records import replace
from nndsl.targets.printing import WIDTH, flat

_ACTIVATIONS = frozenset(
    "F.relu F.silu F.gelu F.elu F.selu F.softplus F.leaky_relu F.relu6 F.mish torch.tanh torch.sigmoid".split()
)
_NORMS = frozenset("BatchNorm MaskedBatchNorm FrozenBatchNorm LayerNorm GroupNorm RMSNorm".split())
_ROOM = WIDTH - 8  # what a line of a method can hold


def folded(statements: Iterable[code.Stmt], norms: Collection[str] = ()) -> list[code.Stmt]:
    """`x = F.relu(self.norm(self.conv(x)))` for three statements; `norms` are the attributes that hold norms."""
    result: list[code.Stmt] = []
    given = list(statements)
    for position, statement in enumerate(given):
        if isinstance(statement, code.For):
            statement = replace(statement, body=tuple(folded(statement.body, norms)))
        before = result[-1] if result else None
        around = _around(before, statement, norms, position >= len(given) - 2)
        if around is None:
            result.append(statement)
        else:
            result[-1] = around
    return result


def _around(before: code.Stmt | None, statement: code.Stmt, norms: Collection[str], is_last: bool) -> code.Stmt | None:
    """Both statements in one, where the second only puts an activation or a norm around the first. `is_last` says that
    nothing but the return comes behind."""
    if not isinstance(before, code.Assign) or not isinstance(statement, code.Assign | code.Return):
        return None
    value, inner = statement.value, before.value
    if not isinstance(value, code.Call) or len(before.targets) != 1 or not value.args:
        return None
    name = before.targets[0]
    if value.args[0] != name or _depth(inner) > 1:
        return None
    if _is_norm(value, norms):
        fits = _is_module(inner)
    else:
        fits = _is_activation(value) and isinstance(inner, code.Call | code.Binary) and not _is_activation(inner)
    if not fits or (isinstance(statement, code.Assign) and statement.targets != before.targets and not is_last):
        return None
    whole = code.Call(value.func, (inner, *value.args[1:]), value.kwargs)
    comment = before.comment or getattr(statement, "comment", "")
    if len(flat(whole)) > _ROOM - len(flat(name)) - (len(comment) + 4 if comment else 0):
        return None
    if isinstance(statement, code.Return):
        return code.Return(whole)
    return code.Assign(statement.targets, whole, comment, statement.annotation)


def is_module_call(value: code.Expr) -> bool:
    """Whether a value comes straight from a module, whose call gives `Any` to a checker."""
    return isinstance(value, code.Call) and isinstance(value.func, code.Attr) and value.func.value == code.Name("self")


def _is_module(value: code.Expr) -> bool:
    """`self.conv(x)`, of a plain value."""
    if not isinstance(value, code.Call) or not isinstance(value.func, code.Attr):
        return False
    return value.func.value == code.Name("self") and all(isinstance(arg, code.Name) for arg in value.args)


def _is_norm(value: code.Call, norms: Collection[str]) -> bool:
    func = value.func
    return isinstance(func, code.Attr) and func.value == code.Name("self") and func.name in norms


def _is_activation(value: code.Expr) -> bool:
    return isinstance(value, code.Call) and flat(value.func) in _ACTIVATIONS


def _depth(value: code.Expr) -> int:
    """How many calls stand inside of each other."""
    if not isinstance(value, code.Call):
        return 0
    return 1 + max((_depth(arg) for arg in value.args), default=0) if _is_activation(value) else 1


def returning(statements: list[code.Stmt]) -> list[code.Stmt]:
    """`return F.relu(y)` for `y = F.relu(y)` and `return y`."""
    if len(statements) > 1 and isinstance(statements[-1], code.Return):
        last, value = statements[-2], statements[-1].value
        plain = isinstance(last, code.Assign) and last.targets == (value,) and not last.annotation
        if plain and isinstance(last, code.Assign) and not is_module_call(last.value):
            return [*statements[:-2], code.Return(last.value)]
    return statements


def norms_of(modules: Mapping[str, code.Expr]) -> set[str]:
    """The attributes that hold norms."""
    return {name for name, made in modules.items() if isinstance(made, code.Call) and _class(made) in _NORMS}


def _class(made: code.Call) -> str:
    return made.func.name if isinstance(made.func, code.Attr) else flat(made.func)
