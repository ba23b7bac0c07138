"""What a check found out about a place of the text: calls of layers and blocks there, and values of a name."""

from __future__ import annotations

from collections.abc import Iterator

from nndsl.ide.analysis import Analysis
from nndsl.ide.places import path_at
from nndsl.ide.symbols import Symbol
from nndsl.ir.constraints import Fact
from nndsl.ir.dims import free_symbols
from nndsl.ir.graph import BlockCall, Model, Node, Region, Value
from nndsl.ir.types import TensorType
from nndsl.passes.custom import CustomLayer, Inside
from nndsl.source import Span
from nndsl.syntax import ast


class Found:
    """Reads the outcome of the check of one file."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.trace = analysis.checked.trace
        self.models = [part for model in analysis.checked.models for part in (model, *model.held)]

    def model_of(self, definition: object) -> Model | None:
        definitions = [s for s in self.analysis.tree.body if isinstance(s, ast.ModelDef)]
        pairs = zip(definitions, self.analysis.checked.models, strict=False)  # too many problems: there are no models
        return next((model for statement, model in pairs if statement is definition), None)

    def _is_here(self, span: Span, start: int) -> bool:
        return span.start == start and span.file is self.analysis.source

    def nodes(self, start: int) -> list[Node]:
        """The calls of a layer or function whose name stands at `start`, those that are known to be fine."""
        found = [n for m in self.models for n in m.nodes if self._is_here(n.span, start) and not n.port]
        if not found:
            for expr in path_at(self.analysis.tree, start):
                if isinstance(expr, ast.CallExpr | ast.NameRef) and expr.span.start == start:
                    for values in self.trace.at(expr):
                        made = values[0].producer if values else None
                        if made is not None and not made.port:
                            found.append(made)
        return [node for node in found if all(v.type.known for v in (*node.results, *node.operands()))]

    def block_calls(self, start: int) -> list[tuple[Model, BlockCall]]:
        """The calls of a block whose name stands at `start`, those that were worked out to their end."""
        return [(m, c) for m in self.models for c in m.blocks if self._is_here(c.name_span, start) and c.outputs]

    def calls_of(self, definition: object) -> Iterator[tuple[Model, BlockCall]]:
        """The calls of a block by its definition."""
        return ((m, c) for m in self.models for c in m.blocks if c.definition is definition)

    def insides(self, definition: object) -> Iterator[tuple[Model, CustomLayer, tuple[TensorType, ...], Inside]]:
        """The layers that are made by a definition of one's own, with their bodies for what flows in."""
        for model in self.models:
            for use in model.layers:
                config = use.config
                if isinstance(config, CustomLayer) and config.block.definition is definition:
                    for types, inside in config.insides.items():
                        yield model, config, types, inside

    def model_with(self, node: Node) -> Model | None:
        return next((m for m in self.models if any(n is node for n in m.nodes)), None)

    def values(self, symbol: Symbol) -> list[tuple[Value, str, Model | None]]:
        """The values that a name stands for, each with the path of the block's call, of known types."""
        container, name = symbol.container, symbol.name
        found: list[tuple[Value, str, Model | None]] = []
        model = self.model_of(container)
        if model is not None and name in model.named:
            found.append((model.named[name], "", model))
        elif isinstance(container, ast.BlockDef) and not container.is_layer:
            found += [(c.named[name], c.path, m) for m, c in self.calls_of(container) if name in c.named]
        elif isinstance(container, ast.BlockDef):
            for part, config, _, inside in self.insides(container):
                value = dict(zip(config.input_names, inside.inputs, strict=False)).get(name)
                if name in inside.weights:
                    value = inside.weights[name][1]
                value = value or inside.outputs.get(name)
                if value is not None:
                    found.append((value, config.path, part))
        if not found and isinstance(symbol.statement, ast.AssignStmt | ast.OutputStmt):
            found += [(value, "", model) for value in self._traced(symbol.statement, name)]
        return [item for item in found if item[0].type.known]

    def _traced(self, statement: ast.AssignStmt | ast.OutputStmt, name: str) -> Iterator[Value]:
        names = [t.text for t in statement.targets] if isinstance(statement, ast.AssignStmt) else [name]
        for values in self.trace.at(statement.value) if statement.value is not None else ():
            if len(values) == len(names):
                yield values[names.index(name)]


def facts_about(model: Model | None, types: list[TensorType]) -> list[Fact]:
    """What the free sizes of some types must satisfy."""
    names = {name for type_ in types for dim in type_.shape for name in free_symbols(dim)}
    if model is None or not names:
        return []
    return [fact for fact in model.constraints.facts() if names & set(free_symbols(fact.dim))]


def within(region: Region | None, call: BlockCall) -> bool:
    """Whether something stands in the body of a block's call, or in a call in there."""
    while region is not None:
        if region is call:
            return True
        region = region.parent
    return False
