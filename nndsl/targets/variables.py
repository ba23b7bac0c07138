"""Local variables for the values of a method or function: names of the file where it gives them, `x` along a chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nndsl.ir.graph import Value
from nndsl.layers.entry import snake_case
from nndsl.targets.inline import inlined
from nndsl.targets.names import python_name
from nndsl.targets.structure import Step


class Variables:
    """Chooses names while the calls are written in order. An unnamed value is `x` where no other `x` is still needed,
    else it is called after its layer; `prefix` is what the paths of all layers begin with."""

    def __init__(
        self,
        nodes: Sequence[Step],
        results: Sequence[Value],
        arguments: Mapping[Value, str],
        prefix: str = "",
        reserved: frozenset[str] = frozenset(),
    ) -> None:
        self.prefix, self.reserved = prefix, reserved
        self.taken = set(arguments.values())
        self.taken |= {python_name(v.name, reserved) for n in nodes for v in n.results if v.name}
        self.inlined = inlined(nodes, results)  # these have no variable: what they are made of is used where they are
        self.last_use: dict[Value, int] = dict.fromkeys(results, len(nodes))
        for index in range(len(nodes) - 1, -1, -1):
            node = nodes[index]
            made = node.results[0]
            until = self.last_use[made] if made in self.inlined and made in self.last_use else index
            for value in node.operands():
                self.last_use[value] = max(until, self.last_use.get(value, -1))
        own = next((value for value, name in arguments.items() if name == "x"), None)
        self._free_x = "x" not in self.taken or own is not None
        self._x_until = -1 if own is None else self.last_use.get(own, -1)
        self._ends = _ends(nodes, results)
        self._numbers: dict[str, int] = {}
        self._until: dict[str, int] = {}  # until when a name of a statement is borrowed by a value on the way to it
        if own is None and any(v.name == "x" for n in nodes for v in n.results):
            self._free_x = False
        self.taken.add("x")

    def used(self, value: Value) -> bool:
        return value in self.last_use

    def name(self, index: int, value: Value) -> str:
        """The variable of a result of the node at `index`; `_` for one that nobody needs."""
        if value.name:
            return python_name(value.name, self.reserved)
        if value not in self.last_use:
            return "_"
        if self._free_x and self._x_until <= index:
            self._x_until = self.last_use[value]
            return "x"
        assert value.producer is not None
        end = self._ends.get(value, "")
        if end and self._until.get(end, -1) <= index:  # several chains may lead to one end
            self._until[end] = self.last_use[value]
            return python_name(end, self.reserved)
        layer = value.producer.layer
        path = layer.path.removeprefix(self.prefix).replace(".", "_")
        hint = snake_case(type(layer.config).__name__) if layer.config.is_function else path
        return self.fresh(python_name(hint))

    def hold(self, value: Value) -> None:
        """`value` is what `x` holds, under no name of its own: `x` is needed as long as it is."""
        self._x_until = max(self._x_until, self.last_use.get(value, -1))

    def fresh(self, hint: str) -> str:
        name, number = hint, self._numbers.get(hint, 2)
        while name in self.taken:
            name, number = f"{hint}_{number}", number + 1
        self._numbers[hint] = number
        self.taken.add(name)
        return name


def _ends(nodes: Sequence[Step], results: Sequence[Value]) -> dict[Value, str]:
    """For a value on a chain, the name that the statement gives to the chain's end: its variable may bear that already.
    Values whose chain branches on the way are left out."""
    kept, found = frozenset(results), dict[Value, str]()
    used: dict[Value, int] = {}
    for node in nodes:
        for value in set(node.operands()):
            used[value] = used.get(value, 0) + 1
    for node in reversed(nodes):
        if len(node.results) != 1:
            continue
        (result,) = node.results
        end = result.name or found.get(result, "")
        for value in node.operands():
            if end and used[value] == 1 and value not in kept and not value.name:
                found[value] = end
    return found
