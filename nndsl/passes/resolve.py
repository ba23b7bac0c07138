"""Names of a model: who defines what, twice or never, and in which order definitions can be read.

Before: the statements of a model, in any order. After: a `Scope` with every definition, and an order in which each
stands behind those it needs; definitions that need themselves are reported with the whole loop, and their names are
`broken`: what reads them stays silent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.layers import catalogue
from nndsl.records import fresh, mutable
from nndsl.source import Span
from nndsl.syntax import ast


@mutable
class Definition:
    """A statement that gives names to values or to a shared layer."""

    statement: ast.InputStmt | ast.AssignStmt | ast.OutputStmt | ast.SharedStmt | ast.WeightStmt | ast.UpdateStmt
    names: tuple[ast.Ident, ...]


@mutable
class Scope:
    """The names of one model."""

    definitions: dict[str, Definition] = fresh(default_factory=dict)
    broken: set[str] = fresh(default_factory=set)  # names whose definition is reported already
    unknown: set[str] = fresh(default_factory=set)  # names without a definition, reported already
    order: list[Definition] = fresh(default_factory=list)
    submodels: dict[str, ast.SubmodelStmt] = fresh(default_factory=dict)
    asks_types: bool = False  # whether `x.shape` or `x.dtype` stands somewhere in it
    constants: set[str] = fresh(default_factory=set)  # names of what is known at compile time: `width = 4 * filters`
    _uses: dict[str, list[Span]] | None = None

    def values(self) -> list[str]:
        """Names that a flow may start from."""
        return [
            n
            for n, d in self.definitions.items()
            if not isinstance(d.statement, ast.SharedStmt) and n not in self.constants
        ]

    def shared(self) -> list[str]:
        return [n for n, d in self.definitions.items() if isinstance(d.statement, ast.SharedStmt)]

    @property
    def uses(self) -> dict[str, list[Span]]:
        """Where each name is referred to, once the scope is resolved."""
        if self._uses is None:
            found: dict[str, list[Span]] = {}
            for definition in self.order:
                for name, span in references(definition):
                    found.setdefault(name, []).append(span)
            self._uses = found
        return self._uses


def resolve(model: ast.ModelDef | ast.BlockDef, problems: Problems, params: Mapping[str, Span] | None = None) -> Scope:
    """The names of a model or a block; `params` are the places of the parameters of the file."""
    scope = Scope()
    scope.asks_types = any(word in model.span.text for word in (".shape", ".dtype"))
    places: dict[str, Span] = {}
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    kind = "model" if isinstance(model, ast.ModelDef) else "layer" if model.is_layer else "block"

    def another(name: str) -> str:
        """A name like `name` that the model does not have, and that was not proposed before."""
        if not taken:
            taken.update(ident.text for statement in model.body for ident in _declared(statement))
        number = numbers.get(name, 2)
        while f"{name}_{number}" in taken:
            number += 1
        numbers[name] = number + 1
        return f"{name}_{number}"

    def declare(name: ast.Ident) -> bool:
        if name.text in places:
            problems.error(
                "NN0208",
                f"`{name.text}` is defined twice",
                name.span,
                "defined again here",
                related=(Label(places[name.text], "first defined here"),),
                help=f"a name stands for one value all through the {kind}: "
                f"call this one `{another(name.text)}`, and use that below",
            )
            return False
        if params and name.text in params:
            problems.error(
                "NN0208",
                f"`{name.text}` is a parameter of the file",
                name.span,
                "defined again here",
                related=(Label(params[name.text], "first defined here"),),
                help=f"a name stands for one thing: call this one `{another(name.text)}`",
            )
        places[name.text] = name.span
        if catalogue.is_known(name.text):
            lower = name.text.lower()
            problems.error(
                "NN0209",
                f"`{name.text}` is a layer of the catalogue and cannot be defined anew",
                name.span,
                "a layer's name",
                help=f"choose another name, for instance `{lower}`",
            )
        return True

    def declare_output(statement: ast.OutputStmt) -> None:
        """`output y` gives out a value that stands elsewhere, and so may not stand beside another output of it."""
        name = statement.name
        first = outputs.setdefault(name.text, statement)
        if first is not statement and None in (first.value, statement.value):
            problems.error(
                "NN0208", f"`{name.text}` is an output twice", name.span, "again here",
                related=(Label(first.name.span, "first here"),),
                help="leave one of them out, and write the options behind the other",
            )  # fmt: skip

    outputs: dict[str, ast.OutputStmt] = {}
    updates: dict[str, Span] = {}
    updated = {s.name.text for s in model.body if isinstance(s, ast.UpdateStmt)}
    for parameter in getattr(model, "parameters", ()):
        declare(parameter.name)
    for statement in model.body:
        if isinstance(statement, ast.OutputStmt):
            declare_output(statement)
        match statement:
            case ast.InputStmt() | ast.OutputStmt() | ast.SharedStmt():
                names: tuple[ast.Ident, ...] = (statement.name,)
            case ast.AssignStmt():
                names = tuple(name for name in statement.targets if name.text != "_")
            case ast.WeightStmt():
                declare(statement.name)
                if statement.name.text not in updated:
                    scope.definitions.setdefault(statement.name.text, Definition(statement, (statement.name,)))
                continue
            case ast.UpdateStmt():
                if statement.name.text in updates:
                    problems.error(
                        "NN0208", f"`{statement.name.text}` is updated twice", statement.name.span, "again here",
                        related=(Label(updates[statement.name.text], "first here"),),
                        help="put both into one expression",
                    )  # fmt: skip
                    continue
                updates[statement.name.text] = statement.name.span
                definition = Definition(statement, (statement.name,))
                scope.definitions[statement.name.text] = definition
                scope.order.append(definition)
                continue
            case ast.SubmodelStmt():
                if declare(statement.name):
                    scope.submodels[statement.name.text] = statement
                continue
            case ast.PenaltyStmt():
                declare(statement.name)
                continue
            case ast.ErrorStmt():
                for name in statement.declares:
                    scope.broken.add(name.text)
                    places.setdefault(name.text, name.span)
                continue
            case _:
                continue
        if isinstance(statement, ast.OutputStmt) and statement.value is None:
            continue
        definition = Definition(statement, names)
        fresh = tuple(name for name in names if declare(name))
        for name in fresh:
            scope.definitions[name.text] = definition
        if not names or fresh:
            scope.order.append(definition)
    scope.constants = find_constants(model, params or ())
    scope.order = _sorted(scope, problems)
    return scope


def find_constants(model: ast.ModelDef | ast.BlockDef, params: Iterable[str]) -> set[str]:
    """The names that a body gives to what is known at compile time: made of numbers, parameters (`params` are those of
    the file), shapes, and each other."""
    known = {*params, *(p.name.text for p in getattr(model, "parameters", ()))}
    constants: set[str] = set()
    candidates = [
        s for s in model.body
        if isinstance(s, ast.AssignStmt) and not s.is_tuple and isinstance(s.value, _PLAIN) and s.targets[0].text != "_"
    ]  # fmt: skip
    found = True
    while found:
        found = False
        for statement in list(candidates):
            if _is_constant(statement.value, known):
                known.add(statement.targets[0].text)
                constants.add(statement.targets[0].text)
                candidates.remove(statement)
                found = True
    return constants


_PLAIN = (ast.Literal, ast.Attribute, ast.Subscript, ast.Binary, ast.Unary, ast.IfElse, ast.Paren, ast.ListExpr,
          ast.RangeExpr, ast.NameRef, ast.TupleExpr)  # fmt: skip


def _is_constant(expr: ast.Expr, known: set[str]) -> bool:
    match expr:
        case ast.Literal():
            return True
        case ast.Attribute(name=name):
            return name.text in ("shape", "dtype")
        case ast.NameRef(name=text):
            return text in known
        case ast.Paren(inner=inner) | ast.Unary(operand=inner):
            return _is_constant(inner, known)
        case ast.Subscript(value=inner):
            return _is_constant(inner, known)
        case ast.Binary(left=left, right=right) | ast.RangeExpr(start=left, stop=right):
            return _is_constant(left, known) and _is_constant(right, known)
        case ast.IfElse(then=then, condition=condition, otherwise=otherwise):
            return all(_is_constant(part, known) for part in (then, condition, otherwise))
        case ast.ListExpr(items=items) | ast.TupleExpr(items=items):
            return bool(items) and all(_is_constant(item, known) for item in items)
    return False


def _declared(statement: ast.Stmt) -> tuple[ast.Ident, ...]:
    match statement:
        case ast.AssignStmt(targets=targets):
            return targets
        case (
            ast.InputStmt(name=name)
            | ast.OutputStmt(name=name)
            | ast.SharedStmt(name=name)
            | ast.SubmodelStmt(name=name)
            | ast.PenaltyStmt(name=name)
        ):
            return (name,)
    return ()


def references(
    definition: Definition, types: bool = False, constants: Collection[str] = ()
) -> Iterator[tuple[str, Span]]:
    """The names that a definition reads, with their places; with `types` those too whose shape or dtype it asks for,
    and of `constants` those that stand in arguments and conditions."""
    statement = definition.statement
    if isinstance(statement, ast.WeightStmt):
        return
    if isinstance(statement, ast.InputStmt):
        for dim in (statement.dims or ()) if types or constants else ():
            yield from _anywhere(dim.value, constants)
        return
    yield from flow_references(statement.value)
    if types or constants:
        yield from _anywhere(statement.value, constants)


def _anywhere(node: ast.Expr | None, constants: Collection[str]) -> Iterator[tuple[str, Span]]:
    """The `x` of each `x.shape` and `x.dtype`, and the names of constants, wherever they stand."""
    stack: list[object] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Attribute) and isinstance(item.value, ast.NameRef):
            yield item.value.name, item.value.span
        elif isinstance(item, ast.NameRef):
            if item.name in constants:
                yield item.name, item.span
        elif isinstance(item, tuple):
            stack.extend(reversed(item))
        elif isinstance(item, ast.Expr | ast.Arg | ast.SliceItem):
            stack.extend(getattr(item, name) for name in reversed(item.__match_args__) if name != "span")


def flow_references(node: ast.Expr | None) -> Iterator[tuple[str, Span]]:
    """The names of values and shared layers in a flow. Names in arguments are options, save in tensor arguments."""
    stack: list[ast.Expr | None] = [node]
    while stack:
        item = stack.pop()
        match item:
            case ast.NameRef():
                yield item.name, item.span
            case ast.Flow():
                for stage in item.items[1:]:  # `-> norm(…)` is a layer, though `norm(x)` is a function
                    if isinstance(stage, ast.CallExpr) and catalogue.find("function", stage.func.text) is not None:
                        yield stage.func.text, stage.func.span
                stack.extend(reversed(item.items))
            case ast.TupleExpr() | ast.ListExpr():
                stack.extend(reversed(item.items))
            case ast.Branch():
                stack.extend(reversed(item.arms))
            case ast.Paren():
                stack.append(item.inner)
            case ast.IfElse():
                stack += [item.otherwise, item.then]
            case ast.Repeat():
                stack.append(item.body)
            case ast.Binary():
                stack += [item.right, item.left]
            case ast.Unary():
                stack.append(item.operand)
            case ast.Attribute():
                stack.append(item.value)
            case ast.Subscript():
                for part in item.items:
                    stack += [part.step, part.stop, part.start, part.index]
                stack.append(item.value)
            case ast.CallExpr() if catalogue.find("function", item.func.text) is not None:
                stack.extend(arg.value for arg in reversed(item.args))
            case ast.CallExpr():
                cls = catalogue.find("layer", item.func.text)
                if cls is None:
                    yield item.func.text, item.func.span
                tensors = getattr(cls, "tensor_args", None)
                for arg in item.args:
                    if arg.name is not None and (tensors is None or arg.name.text in tensors):
                        stack.append(arg.value)


def _sorted(scope: Scope, problems: Problems) -> list[Definition]:
    """The definitions in an order in which they can be read, the file's own where it has a choice."""
    needs: dict[Definition, list[tuple[Definition, Span]]] = {}
    for definition in scope.order:
        found = []
        of_state = isinstance(definition.statement, ast.UpdateStmt)
        for name, span in references(definition, scope.asks_types, scope.constants):
            other = scope.definitions.get(name)
            if of_state and other is not None and isinstance(other.statement, ast.UpdateStmt):
                continue  # there a state is what it was before the call
            if other is not None and not isinstance(other.statement, ast.WeightStmt):
                found.append((other, span))
        needs[definition] = found
    done: dict[Definition, bool] = {}  # False while on the path
    result: list[Definition] = []
    for root in scope.order:
        if root in done:
            continue
        done[root] = False
        path = [(root, iter(needs[root]))]
        while path:
            current, rest = path[-1]
            step = next(rest, None)
            if step is None:
                path.pop()
                done[current] = True
                result.append(current)
            elif step[0] not in done:
                done[step[0]] = False
                path.append((step[0], iter(needs[step[0]])))
            elif not done[step[0]]:
                loop = [definition for definition, _ in path]
                _report_loop(loop[loop.index(step[0]) :], needs, scope, problems)
    return result


def _report_loop(
    loop: list[Definition],
    needs: dict[Definition, list[tuple[Definition, Span]]],
    scope: Scope,
    problems: Problems,
) -> None:
    """`loop` lists definitions each of which reads the next, and the last the first."""
    if any(name.text in scope.broken for d in loop for name in d.names):
        return
    start = min(range(len(loop)), key=lambda i: loop[i].names[0].span.start)
    loop = loop[start:] + loop[:start]
    places = []
    for reader, read in zip(loop, [*loop[1:], loop[0]], strict=True):
        places.append(next(span for other, span in needs[reader] if other is read))
    names = [d.names[0].text for d in loop]
    flow = list(reversed(names))
    shown = " -> ".join([flow[-1], *flow]) if len(flow) > 1 else f"{names[0]} -> {names[0]}"
    labels = [
        Label(span, f"`{reader}` is made from `{read}` here")
        for span, reader, read in zip(places, names, [*names[1:], names[0]], strict=True)
    ]
    problems.error(
        "NN0401",
        f"`{names[0]}` is made from itself: {shown}",
        labels[0].span,
        labels[0].message,
        related=tuple(labels[1:]),
        help="values flow one way: let one of these start from another value; "
        "a layer that remembers (`LSTM(…, stateful=true)`) carries values from one step to the next",
    )
    for definition in loop:
        scope.broken.update(name.text for name in definition.names)


def did_you_mean_fix(span: Span, close: list[str]) -> tuple[Fix, ...]:
    """The fix that puts the nearest name in place of a wrong one."""
    return (Fix(f"change to `{close[0]}`", (Edit(span, close[0]),)),) if close else ()
