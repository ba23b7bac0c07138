"""Repeats in torch: rounds whose code is the same become a `nn.Sequential`, or a `nn.ModuleList` with a loop over it.

The rounds are written one after the other first; then what they have added to `__init__` and `forward` is compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from nndsl import code
from nndsl.records import mutable, replace
from nndsl.targets.rewrite import transformed
from nndsl.targets.structure import LoopItem

if TYPE_CHECKING:
    from nndsl.targets.torch_body import Body


Variables: TypeAlias = tuple[code.Expr | None, ...]


@mutable
class _Mark:
    """How much there was before a round."""

    modules: int
    forward: int
    state: int
    inits: int
    after: int
    reset: int
    penalties: int


def write_loop(body: Body, item: LoopItem) -> None:
    marks = [_mark(body)]
    starts: list[Variables] = []
    ends: list[Variables] = []
    for one in item.rounds:
        starts.append(tuple(body.variables.get(value) for value in one.round.inputs))
        body._items(one.items)
        ends.append(tuple(body.variables.get(value) for value in one.round.outputs))
        marks.append(_mark(body))
    own = body.scope is not body.writer.scope  # the class of a block
    if len(item.rounds) > 1 and (own or not body.writer.is_repeated(item)):
        _Roll(body, item, marks, starts, ends).run()


def _mark(body: Body) -> _Mark:
    s = body.scope
    return _Mark(
        len(s.modules), len(s.forward), len(s.state), len(s.inits), len(s.after), len(s.reset), len(body.penalties)
    )


class _Roll:
    def __init__(
        self,
        body: Body,
        item: LoopItem,
        marks: list[_Mark],
        starts: Sequence[Variables],
        ends: Sequence[Variables],
    ) -> None:
        self.body, self.item, self.marks, self.scope = body, item, marks, body.scope
        self.all_starts, self.all_ends = starts, ends
        self.starts = [one[0] if len(one) == 1 else None for one in starts]
        self.ends = [one[0] if len(one) == 1 else None for one in ends]
        names = list(self.scope.modules)
        self.rounds = range(len(marks) - 1)
        self.modules = [names[marks[i].modules : marks[i + 1].modules] for i in self.rounds]
        self.forward = [self.scope.forward[marks[i].forward : marks[i + 1].forward] for i in self.rounds]

    def run(self) -> None:
        """Puts the loop in the place of the rounds, where they are alike."""
        first, last = self.marks[0], self.marks[-1]
        same_size = len({len(modules) for modules in self.modules}) == 1 and bool(self.modules[0])
        leftovers = (first.after, first.reset, first.penalties) != (last.after, last.reset, last.penalties)
        if not same_size or leftovers:
            return
        if len(self.all_starts[0]) > 1:
            self._several()
            return
        if not all(isinstance(v, code.Name) for v in [*self.starts, *self.ends]):
            return
        if any(not isinstance(s, code.Assign) for statements in self.forward for s in statements):
            return
        if any(self._is_buffer(name) for modules in self.modules for name in modules):
            return
        normal = [self._normal(i) for i in self.rounds]
        if any(item != normal[0] for item in normal):
            return
        heads = self.modules[0]
        sequential = len(heads) == 1 and self._is_plain_call()
        template = 1  # the second round starts from what a round gives
        carried = self.starts[template]
        if not sequential and self.ends[0] != carried:
            return
        self._collect("nn.Sequential" if sequential else "nn.ModuleList")
        if sequential:
            last_assign = self.forward[-1][0]
            called = code.call(code.Attr(code.Name("self"), heads[0]), self.starts[0])
            self.scope.forward.append(replace_assign(last_assign, called))
        else:
            self._for(template)

    def _is_buffer(self, name: str) -> bool:
        constructor = self.scope.modules[name]
        return isinstance(constructor, code.Call) and constructor.func == code.Name("register_buffer")

    def _is_plain_call(self) -> bool:
        """Whether a round is `x = self.module(x)`."""
        for i in self.rounds:
            if len(self.forward[i]) != 1:
                return False
            statement = self.forward[i][0]
            wanted = code.call(code.Attr(code.Name("self"), self.modules[i][0]), self.starts[i])
            if not isinstance(statement, code.Assign) or statement.value != wanted or len(statement.targets) != 1:
                return False
        return True

    def _several(self) -> None:
        """Rounds that hand on several values, each the call of one module: `x, skips = block(x, skips)`."""
        calls = [self._one_call(i) for i in self.rounds]
        taken: list[Any] = []  # the arguments of a call: the place of a value that is handed on, or code from outside
        for i, call in enumerate(calls):
            starts = self.all_starts[i]
            if call is None or None in starts or len(call.args) != len(calls[0].args):  # type: ignore[union-attr]
                return
            if i == 1:  # here the values have names of their own
                taken = [starts.index(arg) if arg in starts else arg for arg in call.args]
        names, sources = [end for end in self.all_ends[-1] if end is not None], self.all_starts[0]
        for call, starts in zip(calls, self.all_starts, strict=True):
            assert call is not None
            wanted = [starts[arg] if isinstance(arg, int) else arg for arg in taken]
            if wanted != list(call.args) or call.kwargs != calls[0].kwargs:  # type: ignore[union-attr]
                return
        if any(arg in names for arg in taken) or len(names) != len(sources):
            return
        if any(source in names[:k] for k, source in enumerate(sources)):
            return
        options = call.kwargs  # type: ignore[union-attr]
        self._collect("nn.ModuleList")
        inputs = self.item.rounds[0].round.inputs
        for value, name, source in zip(inputs, names, sources, strict=True):
            if source != name:
                self._begin(name, source, only=not value.name and len(value.uses) == 1)
        head = self.modules[0][0]
        module = code.Name(self.scope.variable(_short(head, [head])))
        args = tuple(names[arg] if isinstance(arg, int) else arg for arg in taken)
        once = code.Assign(tuple(names), code.Call(module, args, options))
        self.scope.forward.append(code.For(module, code.Attr(code.Name("self"), head), (once,)))

    def _one_call(self, i: int) -> code.Call | None:
        """The call of its only module that is all there is to a round."""
        statement = self.forward[i][0] if len(self.forward[i]) == 1 and len(self.modules[i]) == 1 else None
        if not isinstance(statement, code.Assign) or statement.targets != self.all_ends[i]:
            return None
        call = statement.value
        own = isinstance(call, code.Call) and call.func == code.Attr(code.Name("self"), self.modules[i][0])
        return call if isinstance(call, code.Call) and own else None

    def _begin(self, name: code.Expr, source: code.Expr | None, only: bool) -> None:
        """`name = source`, or what has just been computed for it alone bears its name at once."""
        statements = self.scope.forward
        assert source is not None
        for at in range(len(statements) - 1, -1, -1):
            statement = statements[at]
            if only and isinstance(statement, code.Assign) and statement.targets == (source,):
                statements[at] = code.Assign((name,), statement.value, statement.comment, statement.annotation)
                return
            if not isinstance(statement, code.Assign) or not isinstance(statement.value, code.Name):
                break
        statements.append(code.Assign((name,), source))

    def _normal(self, i: int) -> Any:
        """The statements of a round with modules and local names numbered in the order in which they come up."""
        start = self.starts[i]
        assert isinstance(start, code.Name)
        names: dict[str, str] = {start.id: "v0"}
        modules = {name: f"m{k}" for k, name in enumerate(self.modules[i])}
        result: list[Any] = []
        for statement in self.forward[i]:
            assert isinstance(statement, code.Assign)
            value = _renamed(statement.value, names, modules)
            targets = []
            for target in statement.targets:
                if not isinstance(target, code.Name):
                    return (i,)
                names[target.id] = f"v{len(names)}_{len(result)}"
                targets.append(names[target.id])
            result.append((tuple(targets), value))
        end = self.ends[i]
        assert isinstance(end, code.Name)
        return (tuple(result), names.get(end.id))

    def _collect(self, func: str) -> None:
        """Gathers the modules of all rounds in lists under the names of the first."""
        scope, heads = self.scope, self.modules[0]
        places: dict[str, tuple[str, int]] = {}
        for number, modules in enumerate(self.modules):
            for head, name in zip(heads, modules, strict=True):
                places[name] = (head, number)
        for k, head in enumerate(heads):
            items = tuple(scope.modules[modules[k]] for modules in self.modules)
            for modules in self.modules[1:]:
                del scope.modules[modules[k]]
            bare = isinstance(items[0], code.Call) and items[0].func == code.dotted("nn.Parameter")
            scope.modules[head] = code.DeferredList("nn.ParameterList" if bare else func, items)
        first = self.marks[0]
        for at in range(first.state, len(scope.state)):
            entry = scope.state[at]
            name, dot, rest = entry.key.partition(".")
            if name in places:
                head, number = places[name]
                scope.state[at] = replace(entry, key=f"{head}.{number}{dot}{rest}")
        for at in range(first.inits, len(scope.inits)):
            record = scope.inits[at]
            scope.inits[at] = replace(record, target=_indexed(record.target, places))
        del scope.forward[first.forward :]

    def _for(self, template: int) -> None:
        scope, heads = self.scope, self.modules[0]
        carried, start, end = self.starts[template], self.starts[0], self.ends[-1]
        assert carried is not None and start is not None and end is not None
        if start != carried:
            scope.forward.append(code.Assign((carried,), start))
        variables = {name: code.Name(scope.variable(_short(name, heads))) for name in heads}
        modules = dict(zip(self.modules[template], (variables[h].id for h in heads), strict=True))
        body: list[code.Stmt] = []
        given = self.ends[template]
        names = {given.id: carried.id} if isinstance(given, code.Name) and isinstance(carried, code.Name) else {}
        statements = self.forward[template]
        between, last = self._between(statements, carried, given)
        for number, statement in enumerate(statements):
            changed = _renamed(statement, names if number > last else between, modules)
            if number == last:  # it reads what was between, and writes what the round gives
                assert isinstance(statement, code.Assign) and isinstance(changed, code.Assign)
                targets = tuple(_renamed(target, names, modules) for target in statement.targets)
                changed = code.Assign(targets, changed.value, changed.comment, changed.annotation)
            body.append(replace_assign(changed, changed.value, comment=""))
        lists = [code.Attr(code.Name("self"), head) for head in heads]
        if len(heads) == 1:
            target: code.Expr = variables[heads[0]]
            iterable: code.Expr = lists[0]
        else:
            target = code.Tuple(tuple(variables[head] for head in heads))
            iterable = code.call("zip", *lists, strict=True)
        scope.forward.append(code.For(target, iterable, tuple(body)))
        if end != carried:
            scope.forward.append(code.Assign((end,), carried))

    def _between(
        self, statements: Sequence[code.Stmt], carried: code.Expr, given: code.Expr | None
    ) -> tuple[dict[str, str], int]:
        """The variable that bears the name of the round's result must not become the one that goes from round to round
        while that is still read. Gives another name for it, and the last statement that it counts for."""
        writes = [number for number, s in enumerate(statements) if isinstance(s, code.Assign) and given in s.targets]
        if given == carried or len(writes) < 2 or not isinstance(given, code.Name):
            return {}, -1
        read = any(_reads(s, carried) for s in statements[writes[0] + 1 : writes[-1] + 1])
        return ({given.id: self.body.names.fresh("inner")}, writes[-1]) if read else ({}, -1)


def _reads(statement: code.Stmt, name: code.Expr) -> bool:
    found = False

    def look(part: Any) -> Any:
        nonlocal found
        found = found or part == name
        return None

    assert isinstance(statement, code.Assign)
    transformed(statement.value, look)
    return found


def replace_assign(statement: code.Stmt, value: code.Expr, comment: str | None = None) -> code.Assign:
    assert isinstance(statement, code.Assign)
    shown = statement.comment if comment is None else comment
    return code.Assign(statement.targets, value, shown, statement.annotation)


def _renamed(value: Any, names: Mapping[str, str], modules: Mapping[str, str]) -> Any:
    def rule(part: Any) -> Any:
        if isinstance(part, code.Attr) and part.value == code.Name("self") and part.name in modules:
            return code.Name(modules[part.name])
        if isinstance(part, code.Name) and part.id in names:
            return code.Name(names[part.id])
        return None

    return transformed(value, rule)


def _indexed(target: code.Expr, places: Mapping[str, tuple[str, int]]) -> code.Expr:
    def rule(part: Any) -> Any:
        if isinstance(part, code.Attr) and part.value == code.Name("self") and part.name in places:
            head, number = places[part.name]
            return code.index(code.Attr(code.Name("self"), head), number)
        return None

    result: code.Expr = transformed(target, rule)
    return result


def _short(name: str, heads: Sequence[str]) -> str:
    """`conv2d` of `label_conv2d`: what the modules of a round do not have in common."""
    shared = 0
    for letters in zip(*heads, strict=False):
        if len(set(letters)) > 1 or len(heads) == 1:
            break
        shared += 1
    cut = name[:shared].rfind("_") + 1 if len(heads) > 1 else name.find("_") + 1
    short = name[cut:]
    return short if short.isidentifier() else name


def resolved_list(func: str, items: Sequence[code.Expr], known: Mapping[str, Sequence[str]]) -> code.Call:
    """`nn.Sequential(*(Residual(16) for _ in range(3)))` where the items are alike, else one after the other."""
    arguments: list[code.Expr] = list(items)
    counted = _counted(items, known)
    if len(items) > 1 and all(item == items[0] for item in items):
        arguments = [_star(items[0], len(items))]
    elif len(items) > 2 and all(item == items[1] for item in items[1:]):
        arguments = [items[0], _star(items[1], len(items) - 1)]
    elif counted is not None:
        arguments = [code.Star(counted)]
    if func == "nn.Sequential":
        return code.call(func, *arguments)
    only = arguments[0]
    if len(arguments) == 1 and isinstance(only, code.Star):
        return code.call(func, only.value)
    return code.call(func, arguments)


def _star(item: code.Expr, count: int) -> code.Star:
    return code.Star(code.Generator(item, code.Name("_"), code.call("range", count)))


def _counted(items: Sequence[code.Expr], known: Mapping[str, Sequence[str]]) -> code.Generator | None:
    """Items that differ in one number, which goes up by the same step."""
    from nndsl.targets.arguments import argument_name
    from nndsl.targets.rewrite import leaves_of, replaced

    if len(items) < 3:
        return None
    keyed = [leaves_of(item) for item in items]
    if any(key != keyed[0][0] for key, _ in keyed):
        return None
    columns = list(zip(*([leaf.node for leaf in leaves] for _, leaves in keyed), strict=True))
    moving = [i for i, column in enumerate(columns) if any(node != column[0] for node in column)]
    vectors = {tuple(getattr(node, "value", None) for node in columns[i]) for i in moving}
    if len(vectors) != 1:
        return None
    values = [int(v) for v in vectors.pop() if isinstance(v, int) and not isinstance(v, bool)]
    steps = {b - a for a, b in pairwise(values)}
    if len(values) != len(items):
        return None
    base = values[1] // values[0] if values[0] == 1 else 0
    if base > 1 and values == [base**i for i in range(len(values))]:
        powers = code.binary("**", base, code.Name("i"))
        return code.Generator(
            replaced(items[0], dict.fromkeys(moving, powers)), code.Name("i"), code.call("range", len(values))
        )
    if len(steps) != 1:
        return None
    step = steps.pop()
    name = argument_name(keyed[0][1][moving[0]], known)
    variable = code.Name(name)
    item = replaced(items[0], dict.fromkeys(moving, variable))
    bounds = [values[0], values[-1] + step] + ([step] if step != 1 else [])
    return code.Generator(item, variable, code.call("range", *bounds))
