"""Small clean-ups of statements: activations, norms and sums around the call that they follow, results returned at
once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from nndsl import code
from nndsl.records import replace
from nndsl.targets.printing import WIDTH, flat
from nndsl.targets.typing import is_any
from nndsl.targets.unpacked import reads

_ACTIVATIONS = frozenset(
    "F.relu F.silu F.gelu F.elu F.selu F.softplus F.leaky_relu F.relu6 F.mish torch.tanh torch.sigmoid".split()
)
_AROUND = frozenset(
    "BatchNorm PartialBatchNorm MaskedBatchNorm FrozenBatchNorm RenormBatchNorm "
    "LayerNorm GroupNorm RMSNorm Dropout".split()
)
_ROOM = WIDTH - 8  # what a line of a method can hold


def folded(
    statements: Iterable[code.Stmt], norms: Collection[str] = (), results: Iterable[code.Expr] = ()
) -> list[code.Stmt]:
    """`x = F.relu(self.norm(self.conv(x)))` for three statements; `norms` are the attributes that hold norms (or
    dropout), `results` what is read behind the statements."""
    folds: list[code.Stmt] = []
    given = list(statements)
    behind = {name for result in results for name in reads(result)}
    needed: list[set[str]] = []  # for each statement that is asked for it, the names that are read behind it
    for number, statement in enumerate(reversed(given)):
        needed.append(set(behind) if number < 2 or isinstance(statement, code.For) else set())
        if isinstance(statement, code.Assign):
            behind -= {target.id for target in statement.targets if isinstance(target, code.Name)}
        behind.update(reads(statement))
    for position, (statement, later) in enumerate(zip(given, reversed(needed), strict=True)):
        if isinstance(statement, code.For):
            carried = [code.Name(name) for name in (*later, *reads(statement))]
            statement = replace(statement, body=tuple(folded(statement.body, norms, carried)))
        before = folds[-1] if folds else None
        around = _around(before, statement, norms, position >= len(given) - 2, later)
        if around is None:
            folds.append(statement)
        else:
            folds[-1] = around
    return folds


def _around(
    before: code.Stmt | None, statement: code.Stmt, norms: Collection[str], is_last: bool, later: Collection[str]
) -> code.Stmt | None:
    """Both statements in one, where the second only puts an activation, a norm or a sum around the first. `is_last`
    says that nothing but the return comes behind, `later` which names are read there."""
    if not isinstance(before, code.Assign) or not isinstance(statement, code.Assign | code.Return):
        return None
    value, inner = statement.value, before.value
    name = before.targets[0]
    if len(before.targets) != 1 or not isinstance(name, code.Name):
        return None
    keeps = isinstance(statement, code.Assign) and statement.targets != before.targets
    if keeps and (not is_last or name.id in later):
        return None
    whole = _sum(value, name, inner, norms) if isinstance(value, code.Binary) else _call(value, name, inner, norms)
    if whole is None:
        return None
    comment = before.comment or getattr(statement, "comment", "")
    if len(flat(whole)) > _ROOM - len(flat(name)) - (len(comment) + 4 if comment else 0):
        return None
    if isinstance(statement, code.Return):
        return code.Return(whole)
    return code.Assign(statement.targets, whole, comment, statement.annotation)


def _sum(value: code.Binary, name: code.Name, inner: code.Expr, norms: Collection[str]) -> code.Expr | None:
    """`x + self.conv(y)` for `x + y` of a plain `x`."""
    left, right = value.left, value.right
    if (left == name) == (right == name) or not isinstance(left, code.Name) or not isinstance(right, code.Name):
        return None
    if not _is_module(inner, norms):
        return None
    return code.Binary(value.op, inner if left == name else left, inner if right == name else right)


def _call(value: code.Expr, name: code.Name, inner: code.Expr, norms: Collection[str]) -> code.Expr | None:
    """`F.relu(self.conv(x))` for `F.relu(y)`."""
    if not isinstance(value, code.Call) or not value.args or value.args[0] != name or _depth(inner) > 1:
        return None
    if name.id in reads((value.args[1:], value.kwargs)):
        return None
    if _is_norm(value, norms):
        fits = _is_module(inner, ())
    else:
        fits = _is_activation(value) and isinstance(inner, code.Call | code.Binary) and not _is_activation(inner)
    return code.Call(value.func, (inner, *value.args[1:]), value.kwargs) if fits else None


def _is_module(value: code.Expr, norms: Collection[str]) -> bool:
    """`self.conv(x)` of a plain value, or `self.norm(self.conv(x))`."""
    if not is_module_call(value):
        return False
    assert isinstance(value, code.Call)
    if _is_norm(value, norms):
        return all(isinstance(arg, code.Name) or _is_module(arg, ()) for arg in value.args)
    return all(isinstance(arg, code.Name) for arg in value.args)


def is_module_call(value: code.Expr) -> bool:
    """`self.conv(…)`, which type checkers know nothing of."""
    return isinstance(value, code.Call) and isinstance(value.func, code.Attr) and value.func.value == code.Name("self")


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
        plain = isinstance(last, code.Assign) and not last.annotation and not is_any(last.value)
        if plain and isinstance(last, code.Assign) and last.targets == (value,):
            return [*statements[:-2], code.Return(last.value)]
    return statements


def norms_of(modules: Mapping[str, code.Expr]) -> set[str]:
    """The attributes that hold norms."""
    return {name for name, made in modules.items() if isinstance(made, code.Call) and _class(made) in _AROUND}


def _class(made: code.Call) -> str:
    return made.func.name if isinstance(made.func, code.Attr) else flat(made.func)
