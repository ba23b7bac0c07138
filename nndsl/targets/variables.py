"""Local variables for the values of a method or function: names of the file where it gives them, `x` along a chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nndsl.ir.graph import Node, Value
from nndsl.targets.names import python_name


class Variables:
    """Chooses names while the nodes are written in order. An unnamed value is `x` where no other `x` is still needed,
    else it is called after its layer."""

    def __init__(self, nodes: Sequence[Node], results: Sequence[Value], arguments: Mapping[Value, str]) -> None:
        self.taken = set(arguments.values())
        self.taken |= {python_name(v.name) for n in nodes for v in n.results if v.name}
        self.last_use: dict[Value, int] = {}
        for index, node in enumerate(nodes):
            for value in node.operands():
                self.last_use[value] = index
        for value in results:
            self.last_use[value] = len(nodes)
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
        return self.fresh(python_name(value.producer.layer.path.replace(".", "_")))

    def hold(self, value: Value) -> None:
        """`value` is what `x` holds, under no name of its own: `x` is needed as long as it is."""
        self._x_until = max(self._x_until, self.last_use.get(value, -1))

    def fresh(self, hint: str) -> str:
        name, number = hint, 2
        while name in self.taken:
            name, number = f"{hint}_{number}", number + 1
        self.taken.add(name)
        return name
