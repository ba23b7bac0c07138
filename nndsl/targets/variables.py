"""Local variables for the values of a method or function: names of the file where it gives them, `x` along a chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nndsl.ir.graph import Node, Value
from nndsl.layers.entry import snake_case
from nndsl.targets.inline import inlined
from nndsl.targets.names import python_name


class Variables:
    """Chooses names while the nodes are written in order. An unnamed value is `x` where no other `x` is still needed,
    else it is called after its layer."""

    def __init__(self, nodes: Sequence[Node], results: Sequence[Value], arguments: Mapping[Value, str]) -> None:
        self.taken = set(arguments.values())
        self.taken |= {python_name(v.name) for n in nodes for v in n.results if v.name}
        self.inlined = inlined(nodes, results)  # these have no variable: what they are made of is used where they are
        self.last_use: dict[Value, int] = dict.fromkeys(results, len(nodes))
        for index in range(len(nodes) - 1, -1, -1):
            made = nodes[index].results[0]
            until = self.last_use[made] if made in self.inlined and made in self.last_use else index
            for value in nodes[index].operands():
                self.last_use[value] = max(until, self.last_use.get(value, -1))
        self._free_x = "x" not in self.taken
        self._x_until = -1
        self.taken.add("x")

    def used(self, value: Value) -> bool:
        return value in self.last_use

    def name(self, index: int, value: Value) -> str:
        """The variable of a result of the node at `index`; `_` for one that nobody needs."""
        if value.name:
            return python_name(value.name)
        if value not in self.last_use:
            return "_"
        if self._free_x and self._x_until <= index:
            self._x_until = self.last_use[value]
            return "x"
        assert value.producer is not None
        layer = value.producer.layer
        hint = snake_case(type(layer.config).__name__) if layer.config.is_function else layer.path.replace(".", "_")
        return self.fresh(python_name(hint))

    def hold(self, value: Value) -> None:
        """`value` is what `x` holds, under no name of its own: `x` is needed as long as it is."""
        self._x_until = max(self._x_until, self.last_use.get(value, -1))

    def fresh(self, hint: str) -> str:
        name, number = hint, 2
        while name in self.taken:
            name, number = f"{hint}_{number}", number + 1
        self.taken.add(name)
        return name
