"""`make_optimizer` of an emitted torch program: one optimizer, or several with a part of the weights each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nndsl import code
from nndsl.ir.graph import Model
from nndsl.layers.entry import snake_case
from nndsl.layers.families.optimizer_maps import MultiOptimizer
from nndsl.layers.optimizing import Optimizer
from nndsl.layers.training import Held, TrainingCall
from nndsl.records import record
from nndsl.targets.printing import block, flat
from nndsl.targets.training_settings import trains

_ALL = code.call("model.parameters")
_NONE = code.lift([{"params": []}])  # torch refuses an empty list, but not a group of none


@record
class Part:
    """An optimizer with the weights that it changes, in `call`. `name` is its variable, `rate` the function of its
    schedule, `weights` the code for its parameters, which a variable holds where they are not all there are."""

    optimizer: Optimizer
    call: TrainingCall
    name: str
    rate: str
    parameters: code.Expr
    weights: code.Expr | None


def optimizer_parts(model: Model, call: TrainingCall) -> list[Part]:
    """The optimizers of the program, in Keras's order; of a MultiOptimizer those that have something to change."""
    optimizer = model.training.optimizer
    if not isinstance(optimizer, MultiOptimizer):
        return [Part(optimizer, call, "optimizer", "learning_rate", _ALL if trains(model) else _NONE, None)]
    by_path = {held.path: held for held in call.weights}
    held_parts = [
        (number, part, [by_path[path] for path in paths])
        for number, (part, paths) in enumerate(optimizer.parts(by_path))
        if paths
    ]
    if not held_parts:  # a model without weights
        held_parts = [(len(optimizer.optimizers) - 1, optimizer.optimizers[-1], [])]
    names = _names([part for _, part, _ in held_parts])
    several = sum(part.schedule is not None for _, part, _ in held_parts) > 1
    found: list[Part] = []
    for name, (number, part, held) in zip(names, held_parts, strict=True):
        own = TrainingCall(call.scope, call.prediction, weights=held)
        variable = code.Name(f"{name}_weights")
        if not held:
            weights: code.Expr = _NONE
        elif number == len(optimizer.optimizers) - 1 and found:
            others = [other.parameters for other in found]
            weights = code.call(call.helper("other_parameters"), code.Name("model"), *others)
        elif len(held_parts) == 1:
            weights = code.List((code.Star(_ALL),))
        else:
            weights = code.List(tuple(_listed(held, call.weights)))
        rate = f"{name}_learning_rate" if several else "learning_rate"
        found.append(Part(part, own, name, rate, variable, weights))
    return found


def _names(optimizers: Sequence[Optimizer]) -> list[str]:
    """A variable for each: `sgd`, or `sgd_1` and `sgd_2`."""
    words = [next(iter(part.aliases), snake_case(type(part).__name__)) for part in optimizers]
    return [
        word if words.count(word) == 1 else f"{word}_{words[: number + 1].count(word)}"
        for number, word in enumerate(words)
    ]


def _listed(held: Iterable[Held], every: Sequence[Held]) -> Iterator[code.Expr]:
    """Code for the parameters: those of a whole module together, where nothing in it is another optimizer's."""
    own = {flat(tensor) for item in held for tensor in item.tensors}
    theirs = {
        flat(around)
        for item in every
        for tensor in item.tensors
        if flat(tensor) not in own
        for around in _around(tensor)
    }
    done: set[str] = set()
    for item in held:
        for tensor in item.tensors:
            module = next((around for around in _around(tensor) if flat(around) not in theirs), None)
            listed = tensor if module is None else code.Star(code.method(module, "parameters"))
            if flat(listed) not in done:
                done.add(flat(listed))
                yield listed


def _around(tensor: code.Expr) -> list[code.Expr]:
    """The modules that hold a tensor, the outermost first, without the model: `model.head`, `model.head.dense`."""
    found: list[code.Expr] = []
    inner: code.Expr = tensor
    while True:
        match inner:
            case code.Attr(value) | code.Index(value):
                inner = value
            case code.Call(func):
                inner = func
                continue
            case _:
                break
        if not isinstance(inner, code.Name):
            found.append(inner)
    if isinstance(tensor, code.Call):  # model.lstm.get_parameter("weight_ih_l0")
        found = [item for item in found if item is not tensor.func]
    return found[::-1]


def schedules(parts: Sequence[Part]) -> list[dict[str, str]]:
    """The functions of the learning rates."""
    found = []
    for part in parts:
        schedule = part.optimizer.schedule
        if schedule is not None:
            how = ", in Keras's float32" if schedule.single(part.call) else ""
            doc = f"The learning rate of a step, by {type(schedule).__name__}{how}."
            found.append({"name": part.rate, "doc": doc, "body": block(schedule.body(part.call), 1)})
    return found


def optimizer_body(model: Model, parts: Sequence[Part], *, constrained: bool) -> str:
    """The body of `make_optimizer`."""
    plateau = any(type(c).__name__ == "ReduceLROnPlateau" for c in model.training.get("callbacks", ()))
    body: list[code.Stmt] = [
        code.Assign((part.parameters,), part.weights) for part in parts if part.weights is not None
    ]
    name = code.Name("optimizer")
    several = isinstance(model.training.optimizer, MultiOptimizer)
    made: code.Expr = name
    for part in parts:
        constant = part.optimizer.schedule is None and not plateau
        made = part.optimizer.torch(part.call, part.parameters, constant=constant)
        hooks = list(_hooks(part))
        if hooks or several:
            body += [code.Assign((code.Name(part.name),), made), *hooks]
            made = code.Name(part.name)
    if several:
        made = code.call(parts[0].call.helper("MultiOptimizer"), *[code.Name(part.name) for part in parts])
    if constrained:
        if made != name:
            body.append(code.Assign((name,), made))
            made = name
        constrain = code.Lambda("*_", code.call("constrain", code.Name("model")))
        body.append(code.Do(code.method(name, "register_step_post_hook", constrain)))
    return block([*body, code.Return(made)], 1)


def _hooks(part: Part) -> Iterator[code.Stmt]:
    name = code.Name(part.name)
    for hook in part.optimizer.hooks(part.call, part.parameters, part.rate):
        yield code.Do(code.method(name, "register_step_pre_hook", hook))
    for hook in part.optimizer.after_hooks(part.call):
        yield code.Do(code.method(name, "register_step_post_hook", hook))
