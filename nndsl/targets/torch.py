"""The PyTorch target: a checked model becomes one standalone file that imports torch and numpy alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from nndsl import code
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.layers.emit import StateEntry, TorchScope
from nndsl.passes.flatten import flatten
from nndsl.passes.keras_order import in_keras_order
from nndsl.passes.logits import without_idle_ends
from nndsl.records import record
from nndsl.targets import helpers, torch_training
from nndsl.targets.docstrings import block_docstring, class_docstring, file_docstring
from nndsl.targets.folding import norms_of
from nndsl.targets.imports import import_lines
from nndsl.targets.names import class_name
from nndsl.targets.printing import block, signature
from nndsl.targets.render import render
from nndsl.targets.rewrite import transformed
from nndsl.targets.specialize import specialize, trimmed
from nndsl.targets.structure import NotStructured
from nndsl.targets.torch_blocks import Written, tidied
from nndsl.targets.torch_custom import WrittenLayer
from nndsl.targets.torch_forward import Forward
from nndsl.targets.torch_init import Inits, plan_inits
from nndsl.targets.torch_loops import resolved_list
from nndsl.targets.units import Family, Unit

_FUNCTIONAL = re.compile(r"\bF\.")


@record
class TorchUnit:
    """An emitted torch program: `text`, the `class_name` of its module, and what each tensor of the module's
    state_dict holds."""

    text: str
    class_name: str
    state: tuple[StateEntry, ...]


def emit_torch(program: CheckedProgram, name: str | None = None, inline: bool = False) -> str:
    return compile_torch(program, name, inline).text


def compile_torch(program: CheckedProgram, name: str | None = None, inline: bool = False) -> TorchUnit:
    """The program for one model (the main one by default)."""
    model = program.find(name)
    try:
        return _Program(flatten(model) if inline else model).unit()
    except NotStructured:
        return _Program(flatten(model)).unit()


class _Program:
    """One torch file: the classes of blocks, the model's class, the training part."""

    def __init__(self, model: Model) -> None:
        self.model = model = in_keras_order(without_idle_ends(model))
        float16 = "float16" in (model.float_dtype, model.training.half)
        self.scope = TorchScope(float_dtype=model.float_dtype, float16=float16)
        self.forward = Forward(model, self.scope)
        self.methods = self.forward.write()

    def unit(self) -> TorchUnit:
        model, scope, forward = self.model, self.scope, self.forward
        if model.float_dtype != "float32":
            scope.after.append(code.Do(code.call("self.to", code.dotted(f"torch.{model.float_dtype}"))))
        units = forward.blocks.units
        inits = plan_inits(scope, [unit.extra.scope for unit in units])
        taken = set(scope.helpers) | {class_name(model.name, frozenset(scope.helpers))}
        families = self._families(units, inits, taken)
        cls = class_name(model.name, frozenset(scope.helpers))
        training = torch_training.pieces(model, scope, cls)
        texts, imports = helpers.collect("torch", scope.helpers)
        classes = [
            _layer_class(family) if family.units[0].call.definition.is_layer else _block_class(family)
            for family in families
        ]
        body = block(forward.body, 2)
        init = block(trimmed(tuple(resolved(statement) for statement in _init(scope, inits)), families), 2)
        written = [*texts, inits.function, init, body, *self.methods, block(scope.reset)]
        written += [text for item in classes for text in (item["modules"], item["forward"])]
        written += map(str, training.values())
        if any(_FUNCTIONAL.search(piece) for piece in written):
            imports.add("import torch.nn.functional as F")
        text = render(
            "torch/program.py.j2",
            docstring=file_docstring(model),
            imports=import_lines({"import torch", "from torch import Tensor, nn"} | imports | scope.imports),
            helpers=texts,
            init_function=inits.function,
            blocks=classes,
            class_name=cls,
            class_docstring=class_docstring(model),
            buffers=_buffers(scope),
            modules=init,
            signature=forward.signature(),
            forward=body,
            methods=self.methods,
            reset=block(scope.reset, 2) if scope.reset else "",
            training=training,
        )
        return TorchUnit(text, cls, tuple(scope.state))

    def _families(self, units: list[Unit], inits: Inits, taken: set[str]) -> list[Family]:
        """The classes of blocks, inner ones first."""

        def name(_: Unit, title: str) -> str:
            if title.startswith("__"):  # Python spells such names otherwise inside of a class
                title = f"Block{title.lstrip('_')}"
            free, number = title, 2
            while class_name(free, taken) != free:
                free, number = f"{title}{number}", number + 1
            taken.add(free)
            return free

        def resolve(unit: Unit) -> None:
            if not unit.call.definition.is_layer:
                unit.init = tuple(resolved(statement) for statement in _init(unit.extra.scope, inits))

        return specialize(units, name, resolve)


def resolved(node: Any) -> Any:
    """Code with the classes that were not named yet in their places."""

    def rule(part: Any) -> Any:
        if isinstance(part, code.Deferred):
            unit = part.key
            assert isinstance(unit, Unit) and unit.family is not None
            return code.Call(code.Name(unit.family.name), (*part.args, *unit.arguments), part.kwargs)
        if isinstance(part, code.DeferredList):
            units = [item.key for item in part.items if isinstance(item, code.Deferred)]
            families = {unit.family for unit in units if isinstance(unit, Unit) and unit.family is not None}
            known = {family.name: [name for name, _ in family.parameters] for family in families}
            return resolved_list(part.func, [resolved(item) for item in part.items], known)
        return None

    return transformed(node, rule)


def _block_class(family: Family) -> dict[str, Any]:
    """The pieces of the class of a block."""
    unit = family.units[0]
    made: Written = unit.extra
    reset, forward = family.body[: len(made.scope.reset)], family.body[len(made.scope.reset) :]
    parameters = ["self", *(f"{name}: {kind}" for name, kind in family.parameters)]
    arguments = ["self", *(f"{name}: Tensor" for name in made.arguments)]
    count = len(made.masks) + len(unit.call.outputs)
    returns = "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"
    return {
        "name": family.name,
        "docstring": block_docstring(unit.call),
        "buffers": _buffers(made.scope),
        "init": signature("__init__", parameters, "None", 1) if family.init else "",
        "modules": block(family.init, 2),
        "signature": signature("forward", arguments, returns, 1),
        "forward": block(tidied(forward, made.arguments, norms_of(made.scope.modules)), 2),
        "reset": block(reset, 2) if reset else "",
    }


def _layer_class(family: Family) -> dict[str, Any]:
    """The pieces of the class of a layer of one's own."""
    unit = family.units[0]
    made: WrittenLayer = unit.extra
    parameters = ["self", *(f"{name}: {kind}" for name, kind in family.parameters)]
    arguments = ["self", *(f"{name}: Tensor" for name in made.arguments)]
    returns = "Tensor" if made.outputs == 1 else f"tuple[{', '.join(['Tensor'] * made.outputs)}]"
    return {
        "name": family.name,
        "docstring": block_docstring(unit.call),
        "buffers": made.buffers,
        "init": signature("__init__", parameters, "None", 1) if family.init else "",
        "modules": block(family.init, 2),
        "signature": signature("forward", arguments, returns, 1),
        "forward": block(tidied(family.body, made.arguments), 2),
        "reset": "",
    }


def _buffers(scope: TorchScope) -> list[str]:
    return [name for name, constructor in scope.modules.items() if _is_buffer(constructor)]


def _init(scope: TorchScope, inits: Inits) -> Iterator[code.Stmt]:
    """The body of `__init__` behind `super().__init__()`."""
    if scope.activity:
        yield code.Assign((code.dotted("self.activity_penalty"),), code.call("torch.zeros", code.Tuple(())))
    if scope.output_masks:
        empty = code.call(code.index(code.Name("dict"), code.Name("str"), code.Name("Tensor")))
        yield code.Assign((code.dotted("self.output_masks"),), empty)
    for attribute, constructor in scope.modules.items():
        if isinstance(constructor, code.Call) and _is_buffer(constructor):
            yield code.Do(code.Call(code.dotted("self.register_buffer"), constructor.args, constructor.kwargs))
        else:
            yield code.Assign((code.Attr(code.Name("self"), attribute),), constructor)
    yield from inits.of(scope)
    yield from scope.after


def _is_buffer(constructor: code.Expr) -> bool:
    return isinstance(constructor, code.Call) and constructor.func == code.Name("register_buffer")
