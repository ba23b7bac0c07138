"""The forward method of the torch class, and a method for each submodel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nndsl import code
from nndsl.ir.dims import Formula, free_symbols
from nndsl.ir.graph import Model, Node, Submodel, Value
from nndsl.layers.emit import TorchScope
from nndsl.passes.layout import layout
from nndsl.passes.learned import learned_values
from nndsl.passes.logits import logits_activation
from nndsl.passes.masks import masks_needed
from nndsl.targets.convert import expression
from nndsl.targets.folding import folded, norms_of
from nndsl.targets.names import attribute_name, python_name
from nndsl.targets.printing import WIDTH, block, flat, signature
from nndsl.targets.structure import CallItem, LoopItem, NotStructured, steps, structure
from nndsl.targets.torch_blocks import BlockWriter
from nndsl.targets.torch_body import Body
from nndsl.targets.torch_custom import LayerWriter
from nndsl.targets.typing import typed
from nndsl.targets.unpacked import discard_unread


class Forward:
    """Writes `forward` and a method for each submodel."""

    def __init__(self, model: Model, scope: TorchScope) -> None:
        self.model, self.scope = model, scope
        self.layout = layout(model, "channels_first")
        self.logits = {o.value: a for o in model.outputs if (a := logits_activation(o)) is not None and _plain(o.value)}
        self.bare: dict[Value, object] = dict.fromkeys(_inside_blocks(self.logits))  # with the activations left out
        self.masked = masks_needed(model)
        self.learned = learned_values(model)
        self.blocks = BlockWriter(self)
        scope.custom = LayerWriter(self).call
        scope.held = self.blocks.held_call
        self.main: Body | None = None
        self.methods: dict[str, str] = {}  # the texts of submodels' methods
        self.body: list[code.Stmt] = []
        self.arguments = {item.value: python_name(item.name) for item in model.inputs}
        self.parts = self._callable_parts()
        self.repeated = {node for s in model.submodels if s.name not in self.parts for node in s.nodes}

    def _callable_parts(self) -> dict[str, Submodel]:
        """The submodels that forward calls instead of repeating them: apart from each other, no value inside is needed
        outside, no mask crosses their edges, and no node needs the probabilities whose logits are made inside."""
        found: dict[str, Submodel] = {}
        claimed: set[Node] = set()
        outputs = {output.value for output in self.model.outputs} | {p.value for p in self.model.penalties}
        for part in self.model.submodels:
            nodes = set(part.nodes)
            inner = {value for node in part.nodes for value in node.results} - set(part.targets)
            leaks = any(value in outputs or any(use not in nodes for use in value.uses) for value in inner)
            edges = {*part.sources, *part.targets}
            if (
                nodes
                and not (leaks or nodes & claimed or edges & self.masked)
                and not any(value.uses for value in part.targets if value in self.logits)
                and all(value.name and value.producer in nodes for value in part.targets)
                and all(value.name or value.producer is None for value in part.sources)
                and self._runs_at_once(part)
            ):
                found[part.name] = part
                claimed |= nodes
        return found

    def _runs_at_once(self, part: Submodel) -> bool:
        """Whether no node outside needs a result before the part's last node has run."""
        place = {node: index for index, node in enumerate(self.model.nodes)}
        nodes, last = set(part.nodes), place[part.nodes[-1]]
        return all(place[use] > last for value in part.targets for use in value.uses if use not in nodes)

    def is_repeated(self, item: LoopItem) -> bool:
        """Whether other methods hold calls of these rounds too: all name the modules, and none puts them in a list."""
        firsts = (step.inputs[0] if isinstance(step, CallItem) else step for step in steps([item]))
        return not self.repeated.isdisjoint(firsts)

    def signature(self) -> str:
        """The head of forward."""
        parameters = ["self", *(f"{name}: Tensor" for name in self.arguments.values())]
        if self.logits:
            parameters += ["*", "logits: bool = False"]
        return signature("forward", parameters, "dict[str, Tensor]", 1)

    def write(self) -> list[str]:
        """Fills `body`; returns the texts of the submodels' methods."""
        outputs = [output.value for output in self.model.outputs]
        penalised = [penalty.value for penalty in self.model.penalties]
        items = structure(self.model.nodes)
        self.main = Body(self, items, self.arguments, [*outputs, *penalised], with_logits=True)
        statements = self.main.write(self._checks())
        statements += self.main.penalty_terms(self.model.penalties)
        if self.scope.activity:
            statements = self._activity(statements)
        result = self._returned(self.main)
        if self.main.pending and len(f"        return {flat(result)}") > WIDTH:
            statements += self.main.unless_logits()
            result = self._returned(self.main)
        masks = tuple(
            (code.Literal(o.name), self.main.masks[o.value])
            for o in self.model.outputs
            if o.loss is not None and o.value in self.main.masks
        )
        if masks:
            self.scope.output_masks = True
            statements.append(code.Assign((code.dotted("self.output_masks"),), code.Dict(masks)))
        statements = folded(statements, norms_of(self.scope.modules), [result])
        self.body = discard_unread([*statements, code.Return(result)])
        return [self.method(submodel) for submodel in self.model.submodels]

    def _activity(self, statements: list[code.Stmt]) -> list[code.Stmt]:
        """Keeps the sum of the activity penalties for the loss. Penalties inside of a submodel's method add to it."""
        assert self.main is not None
        place, penalties = code.dotted("self.activity_penalty"), self.main.penalties
        if self.parts or not penalties:
            device = code.dotted(f"{next(iter(self.arguments.values()))}.device")
            return [code.Assign((place,), code.call("torch.zeros", code.Tuple(()), device=device)), *statements]
        if len(penalties) == 1:
            return [
                code.Assign((place,), item.value) if isinstance(item, code.Assign) and item.targets == (penalties[0],)
                else item
                for item in statements
            ]  # fmt: skip
        return [*statements, code.Assign((place,), code.total(penalties))]

    def _checks(self) -> list[code.Stmt]:
        """The derived facts, checked when the program runs; and that one name is one size."""
        places: dict[str, str] = {}
        statements: list[code.Stmt] = []
        for item in self.model.inputs:
            for axis, dim in enumerate(item.value.type.shape):
                name = _symbol_name(dim)
                if name is None or axis == 0:
                    continue
                place = f"{self.arguments[item.value]}.shape[{axis}]"
                if name in places:
                    other = places[name]
                    statements.append(
                        code.If(
                            code.binary("!=", expression(place), expression(other)),
                            (_raise(f"{item.name} axis {axis} and {other} must have the same size ({name})"),),
                        )
                    )
                else:
                    places[name] = place
        for fact in self.model.constraints.facts():
            names = sorted(free_symbols(fact.dim))
            if not all(name in places for name in names):
                continue
            where = ", ".join(f"{name.partition('#')[0]} = {places[name]}" for name in names)
            message = f"this model needs {fact} ({where})"
            statements.append(code.If(_negated(expression(fact.python(places))), (_raise(message),)))
        return statements

    def _returned(self, body: Body) -> code.Dict:
        """What forward returns."""
        return code.Dict(tuple((code.Literal(o.name), body.result(o.value)) for o in self.model.outputs))

    def method(self, submodel: Submodel) -> str:
        """The text of a submodel's method, written where forward first needs it: so stand its modules in order."""
        if submodel.name not in self.methods:
            self.methods[submodel.name] = self._submodel(submodel)
        return self.methods[submodel.name]

    def gives_logits(self, submodel: Submodel) -> bool:
        """Whether forward asks its method for logits."""
        return submodel.name in self.parts and any(value in self.logits for value in submodel.targets)

    def _submodel(self, submodel: Submodel) -> str:
        arguments = {
            value: python_name(name) for value, name in zip(submodel.sources, submodel.source_names, strict=True)
        }
        with_logits = self.gives_logits(submodel)
        items = structure(submodel.nodes)
        body = Body(self, items, arguments, list(submodel.targets), with_logits=with_logits)
        moved = {value for value in submodel.sources if value in self.layout.moved}
        self.layout.moved -= moved  # a source comes in as declared
        statements = [*body.write([]), *body.unless_logits()]
        results = tuple(body.result(value) for value in submodel.targets)
        self.layout.moved |= moved
        statements = folded(statements, norms_of(self.scope.modules), results)
        if len(results) == 1:
            statements = typed(statements, results[0], set(arguments.values()))
        statements.append(code.Return(results[0] if len(results) == 1 else code.Tuple(results)))
        kind = "Tensor" if len(results) == 1 else f"tuple[{', '.join(['Tensor'] * len(results))}]"
        name = attribute_name(submodel.name)
        sources, targets = " and ".join(submodel.source_names), " and ".join(submodel.target_names)
        parameters = ["self", *(f"{argument}: Tensor" for argument in arguments.values())]
        head = signature(name, parameters + ["*", "logits: bool = False"] * with_logits, kind, 1)
        body_text = block(discard_unread(statements), 2)
        return f'{head}\n        """The part of the model from {sources} to {targets}."""\n{body_text}'


def _plain(value: Value) -> bool:
    """Whether the logits of an output can be had by leaving out its layer's activation."""
    node = value.maker
    return node is not None and value.type.rank >= 2


def _inside_blocks(outputs: Iterable[Value]) -> Iterator[Value]:
    """The values inside of blocks that are these outputs."""
    for value in outputs:
        real, inner = value.real, value
        while inner is not real:
            assert inner.producer is not None
            inner = inner.producer.inputs[0]
            if len(inner.uses) > 1:
                raise NotStructured  # inside it is needed as it is
        if real is not value:
            yield real


def _symbol_name(dim: object) -> str | None:
    """The name of a dimension that is one free symbol, or None."""
    return free_symbols(dim)[0] if isinstance(dim, Formula) and len(free_symbols(dim)) == 1 else None


def _raise(message: str) -> code.Stmt:
    return code.Raise(code.call("ValueError", message))


_OPPOSITE = {">=": "<", "<=": ">", "==": "!=", "!=": "==", "<": ">=", ">": "<="}


def _negated(test: code.Expr) -> code.Expr:
    if isinstance(test, code.Binary) and test.op in _OPPOSITE:
        return code.Binary(_OPPOSITE[test.op], test.left, test.right)
    return code.Unary("not", test)
