"""A model without blocks: the same layers and calls, ports and regions gone.

Before: a checked model. After: a copy of it whose values go straight from call to call. The model itself stays as it
is; layers are shared with it, save for their lists of calls.
"""

from __future__ import annotations

from nndsl.ir.graph import BlockCall, LayerUse, Model, Node, Region, Round, Value
from nndsl.records import replace


def flatten(model: Model, keep: BlockCall | None = None) -> Model:
    """The copy; its values stay in the call `keep`, and the ports of that one are kept."""
    if not model.blocks:
        return replace(model, flat=True)
    return _Copy(model, keep).run()


class _Copy:
    def __init__(self, model: Model, keep: BlockCall | None) -> None:
        self.model, self.old = model, keep
        self.keep = None if keep is None else replace(keep)
        self.values: dict[Value, Value] = {}
        self.layers: dict[LayerUse, LayerUse] = {}
        self.nodes: dict[Node, Node] = {}

    def run(self) -> Model:
        model = self.model
        inputs = [replace(item, value=self._input(item.value)) for item in model.inputs]
        nodes = []
        for node in model.nodes:
            if node.port and (self.old is None or node.region is not self.old):
                self._pass_on(node)
            else:
                nodes.append(self._node(node))
        layers = [self.layers[use] for use in model.layers if use in self.layers]
        copy = replace(model, inputs=inputs, nodes=nodes, layers=layers, blocks=[], flat=True)
        copy.outputs = [replace(output, value=self.values[output.value]) for output in model.outputs]
        penalties = [*model.penalties, *(penalty for call in model.blocks for penalty in call.penalties)]
        copy.penalties = [replace(penalty, value=self.values[penalty.value]) for penalty in penalties]
        copy.submodels = [
            replace(
                part,
                sources=tuple(self.values[v] for v in part.sources),
                targets=tuple(self.values[v] for v in part.targets),
                nodes=tuple(self.nodes[n] for n in part.nodes if n in self.nodes),
            )
            for part in model.submodels
        ]
        if self.keep is not None and self.old is not None:
            self.keep.inputs = tuple(self.nodes[port] for port in self.old.inputs)
            self.keep.outputs = tuple(self.nodes[port] for port in self.old.outputs)
            copy.blocks = [self.keep]
        copy.named = {name: self.values[value] for name, value in model.named.items() if value in self.values}
        return copy

    def _input(self, value: Value) -> Value:
        copy = self.values[value] = Value(value.span, value.name, type=value.type, number=value.number)
        return copy

    def _value(self, value: Value) -> Value:
        return self._input(value) if value.number is not None else self.values[value]

    def _pass_on(self, port: Node) -> None:
        """A port's result is what it gets; the name that the model gives it goes to the value itself."""
        source, result = self.values[port.inputs[0]], port.results[0]
        self.values[result] = source
        call = port.region
        leaves = isinstance(call, BlockCall) and port in call.outputs and self._is_outside(call.parent)
        if leaves and result.name and not source.name and source.producer is not None:
            source.name = result.name

    def _node(self, node: Node) -> Node:
        own = self._is_outside(node.region)
        results = tuple(Value(v.span, v.name if own else "", position=v.position, type=v.type) for v in node.results)
        tensors = {
            name: tuple(map(self._value, item)) if isinstance(item, tuple) else self._value(item)
            for name, item in node.tensors.items()
        }
        use = self.layers.get(node.layer)
        if use is None:
            use = self.layers[node.layer] = replace(node.layer, nodes=[])
        copy = replace(
            node, layer=use, inputs=tuple(map(self._value, node.inputs)), tensors=tensors, results=results,
            region=self.keep,
        )  # fmt: skip
        use.nodes.append(copy)
        for old, new in zip(node.results, results, strict=True):
            new.producer = copy
            self.values[old] = new
        for value in copy.operands():
            value.uses.append(copy)
        self.nodes[node] = copy
        return copy

    def _is_outside(self, region: Region | None) -> bool:
        """Whether a region is in no call of a block that is written out: its names are those of the whole."""
        while isinstance(region, Round):
            region = region.parent
        return region is self.old
