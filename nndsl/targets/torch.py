"""The PyTorch target: a checked model becomes one standalone file that imports torch and numpy alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nndsl import code
from nndsl.ir.graph import CheckedProgram
from nndsl.layers.emit import StateEntry, TorchScope
from nndsl.targets import helpers, torch_training
from nndsl.targets.docstrings import class_docstring, file_docstring
from nndsl.targets.names import class_name
from nndsl.targets.printing import block
from nndsl.targets.render import render
from nndsl.targets.torch_forward import Forward
from nndsl.targets.torch_init import Inits, init_statements

_FUNCTIONAL = re.compile(r"\bF\.")


@dataclass(frozen=True)
class TorchUnit:
    """An emitted torch program: `text`, the `class_name` of its module, and what each tensor of the module's
    state_dict holds."""

    text: str
    class_name: str
    state: tuple[StateEntry, ...]


def emit_torch(program: CheckedProgram, name: str | None = None) -> str:
    return compile_torch(program, name).text


def compile_torch(program: CheckedProgram, name: str | None = None) -> TorchUnit:
    """The program for one model (the main one by default)."""
    model = program.find(name)
    scope = TorchScope()
    forward = Forward(model, scope)
    methods = forward.write()
    if model.float_dtype != "float32":
        scope.after.append(code.Do(code.call("self.to", code.dotted(f"torch.{model.float_dtype}"))))
    inits = init_statements(scope)
    cls = class_name(model.name, frozenset(scope.helpers))
    training = torch_training.pieces(model, scope, cls)
    texts, imports = helpers.collect("torch", scope.helpers)
    modules, body = _modules(scope, inits), block(forward.body, 2)
    written = [*texts, inits.function, modules, body, *methods, block(scope.reset), *map(str, training.values())]
    if any(_FUNCTIONAL.search(piece) for piece in written):
        imports.add("import torch.nn.functional as F")
    text = render(
        "torch/program.py.j2",
        docstring=file_docstring(model),
        imports=_imports(imports | scope.imports),
        helpers=texts,
        init_function=inits.function,
        class_name=cls,
        class_docstring=class_docstring(model),
        buffers=[name for name, constructor in scope.modules.items() if _is_buffer(constructor)],
        modules=modules,
        signature=forward.signature(),
        forward=body,
        methods=methods,
        reset=block(scope.reset, 2) if scope.reset else "",
        training=training,
    )
    return TorchUnit(text, cls, tuple(scope.state))


def _modules(scope: TorchScope, inits: Inits) -> str:
    """The body of `__init__` behind `super().__init__()`."""
    statements: list[code.Stmt] = []
    if scope.activity:
        statements.append(
            code.Assign((code.dotted("self.activity_penalty"),), code.call("torch.zeros", code.Tuple(())))
        )
    if scope.output_masks:
        empty = code.call(code.index(code.Name("dict"), code.Name("str"), code.Name("Tensor")))
        statements.append(code.Assign((code.dotted("self.output_masks"),), empty))
    for attribute, constructor in scope.modules.items():
        place = code.Attr(code.Name("self"), attribute)
        if isinstance(constructor, code.Call) and _is_buffer(constructor):
            statements.append(
                code.Do(code.Call(code.dotted("self.register_buffer"), constructor.args, constructor.kwargs))
            )
        else:
            statements.append(code.Assign((place,), constructor))
    return block([*statements, *inits.statements, *scope.after], 2)


def _is_buffer(constructor: code.Expr) -> bool:
    return isinstance(constructor, code.Call) and constructor.func == code.Name("register_buffer")


def _imports(extra: set[str]) -> str:
    """Import lines as ruff's isort rule sorts them: standard library, then the others, one line a module."""
    lines = {"import torch", "from torch import Tensor, nn", *extra}
    plain = {line for line in lines if line.startswith("import ")}
    names: dict[str, set[str]] = {}
    for line in lines - plain:
        _, module, _, imported = line.split(" ", 3)
        names.setdefault(module, set()).update(name.strip() for name in imported.split(","))
    merged = {f"from {module} import {', '.join(sorted(found, key=_by_kind))}" for module, found in names.items()}
    groups: list[list[str]] = [[], [], []]
    for line in plain | merged:
        module = line.split()[1].split(".")[0]
        groups[0 if module == "__future__" else 2 if module in ("torch", "numpy") else 1].append(line)
    ordered = [sorted(group, key=lambda line: (line.startswith("from "), line.split()[1].lower())) for group in groups]
    return "\n\n".join("\n".join(group) for group in ordered if group)


def _by_kind(name: str) -> tuple[bool, str]:
    """Classes before functions, as isort has them."""
    return name[0].islower(), name
