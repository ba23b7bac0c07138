"""Names of the user in emitted programs mean what the user's names mean, whatever else bears that name in Python.

Each program is written twice, with a name that the emitted program, Python or a framework has a use for, and with a
harmless twin of the same length. The syntax trees must be the same, and every use of a name must lead to the same
definition: a variable that hides a built-in, or a class that hides a helper, is told by that.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.ide.analysis import Analysis
from nndsl.ide.symbols import Occurrence
from nndsl.layers import catalogue
from nndsl.source import SourceFile
from nndsl.syntax.names import is_reserved
from nndsl.targets.keras_custom import LAYER_ATTRIBUTES
from nndsl.targets.names import (
    HELPERS,
    MODULE_ATTRIBUTES,
    TRAINING_HELPERS,
    attribute_name,
    class_name,
    python_name,
)
from tests.attacks.binding import differences

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted((ROOT / "examples").glob("*.nn"))
PYTHON = (
    "class lambda def self cls match match_ case type type_ _x __x __init__ __class__ __dict__ __doc__ __file__ "
    "any all map filter object super vars open format sorted reversed enumerate training forward call build name "
    "train eval parameters buffers modules state_dict T_destination _modules _parameters _buffers layers losses "
    "metrics trainable weights state keras torch nn F np optim Tensor Any Sequence functools re os csv io copy "
    "math evaluate build_model compile_model measure INPUTS SEED ARRAYS BATCH_SIZE annotations RMSprop ratio "
    "clip_norm early_epsilon masked_scan average_pool_same"
).split()


def emitted(text: str) -> dict[str, str] | None:
    problems = Problems()
    checked = pipeline.check(SourceFile("m.nn", text), problems)
    return None if checked is None else {target: pipeline.emit(checked, target) for target in pipeline.TARGETS}


def symbols(text: str) -> list[list[Occurrence]]:
    found: dict[object, list[Occurrence]] = {}
    for occurrence in Analysis(SourceFile("m.nn", text)).symbols.occurrences:
        found.setdefault(occurrence.symbol.key, []).append(occurrence)
    return list(found.values())


def renamed(text: str, places: list[Occurrence], name: str) -> str:
    for start, end in sorted({(place.span.start, place.span.end) for place in places}, reverse=True):
        text = text[:start] + name + text[end:]
    return text


def harmless(name: str, text: str, random: Random) -> str:
    """A name of the same length and look that stands nowhere in `text`."""
    for _ in range(1000):
        chars = [
            random.choice("jqzkvx") if c.islower() else random.choice("JQZKVX") if c.isupper() else c for c in name
        ]
        found = "q" * (len(name) - len(name.lstrip("_"))) + "".join(chars).lstrip("_")
        if found not in text:
            return found
    raise AssertionError(f"no twin of {name}")


def used(programs: dict[str, str]) -> set[str]:
    """What is a name in emitted programs."""
    found: set[str] = set()
    for program in programs.values():
        for node in ast.walk(ast.parse(program)):
            found |= {str(getattr(node, field)) for field in ("id", "arg", "name", "asname") if hasattr(node, field)}
    return {name for name in found if name != "None"}


def attack(path: Path, random: Random, tries: int) -> int:
    text = path.read_text(encoding="utf-8")
    plain = emitted(text)
    if plain is None:  # it imports others
        return 0
    everything = text + "".join(plain.values())
    own = {places[0].symbol.name for places in symbols(text)}
    # `x` is what values without a name are called: other values move out of its way
    names = [n for n in sorted(used(plain) | set(PYTHON)) if n.isidentifier() and n not in own and n != "x"]
    names = [n for n in names if not is_reserved(n) and not catalogue.is_known(n) and len(n) > 2]
    tried = 0
    for places in symbols(text):
        for name in random.sample(names, tries):
            twin = harmless(name, everything, random)
            first, second = emitted(renamed(text, places, twin)), emitted(renamed(text, places, name))
            assert first is not None, twin
            if second is None:
                continue
            tried += 1
            for target in first:
                if len(second[target].split("\n")) != len(first[target].split("\n")):
                    continue  # `name_` is longer by one: lines are broken elsewhere
                wrong = list(differences(first[target], second[target], _same(twin, name)))
                wrong = [one for one in wrong if not re.search(r"\d+ parts are \d+| is x$", one)]
                what = f"{places[0].symbol.kind} `{places[0].symbol.name}` of {path.name} as `{name}`"
                assert not wrong, f"{what}, {target}: {wrong[0]}"
    return tried


def _same(twin: str, name: str) -> Callable[[str, str], bool]:
    def same(one: str, other: str) -> bool:
        pattern = re.escape(one).replace(re.escape(twin), f"(?:layer)?{re.escape(name)}_*")
        if re.fullmatch(pattern, other) or twin.lower().replace("_", "") in one.lower().replace("_", ""):
            return True
        return re.fullmatch(rf"{re.escape(re.sub(r'_[0-9]+$', '', one))}_\d+", other) is not None  # a name told apart

    return same


@pytest.mark.parametrize("seed", range(4))
def test_some_names(seed: int) -> None:
    random = Random(f"binding {seed}")
    assert sum(attack(path, random, 1) for path in random.sample(PROGRAMS[:14], 2)) > 5


@pytest.mark.slow
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_names(path: Path) -> None:
    attack(path, Random(path.stem), 12)


WRONG = """\
block {block}(n) {{ input q; output o = q -> Dense(n) }}
model {model} {{
    input {input}: float[8, 8, 2]
    {value} = {input} -> AveragePooling2D(3, padding=same) -> Flatten()
    output y = {value} -> {block}(3) -> {block}(2) with loss=mse
    train {{ optimizer = RMSprop(epsilon=0.001, global_clipnorm=1.0) }}
}}
"""


@pytest.mark.parametrize("place", ["block", "model", "input", "value"])
def test_programs_run(place: str) -> None:
    """What a name hides is found when the program runs: each is built, called and saved in PyTorch."""
    torch = pytest.importorskip("torch")
    given = {"block": "Harmless", "model": "M", "input": "alpha", "value": "beta"}
    shapes = None
    for name in ["harmless", *PYTHON]:
        found = emitted(WRONG.format(**given | {place: name}))
        if found is None:
            continue
        scope: dict[str, object] = {"__name__": "emitted", "__doc__": "A program."}
        exec(compile(found["torch"], "emitted", "exec"), scope)
        title = re.findall(r"^class (\w+)\(nn", found["torch"], re.M)[-1]
        model = scope[title]()  # type: ignore[operator]
        optimizer = scope["make_optimizer"](model)  # type: ignore[operator]
        outputs = model.train()(torch.ones(2, 8, 8, 2))
        outputs["y"].sum().backward()
        optimizer.step()
        now = [tuple(tensor.shape) for tensor in model.state_dict().values()]
        assert outputs["y"].shape == (2, 2) and now == (shapes := shapes or now), name
        assert len(list(model.parameters())) == 4 and not model.eval().training, name


LAYER = """\
layer L({parameter}) {{
    input {input}
    trainable {weight}: [8] = ones
    state {state}: [8] = zeros
    update {state} = {state} + sum({input}, axis=0)
    output o = {input} * {weight} * {parameter} + {state}
}}
model M {{ input x: float[8]; output y = x -> L(2) -> L(3) -> Dense(2) with loss=mse }}
"""


@pytest.mark.parametrize("target", ["torch", pytest.param("keras", marks=pytest.mark.slow)])
def test_layers_run(target: str) -> None:
    """Names of a layer's own parts."""
    framework = pytest.importorskip("torch" if target == "torch" else "tensorflow")
    given = {"parameter": "aa", "input": "bb", "weight": "cc", "state": "dd"}
    tried = 0
    for place in given:
        for name in [*PYTHON, *sorted(LAYER_ATTRIBUTES), "_losses", "_metrics", "_lock", "dtype_policy_", "mask"]:
            if (found := emitted(LAYER.format(**given | {place: name}))) is None:
                continue
            tried += 1
            scope: dict[str, Any] = {"__name__": "emitted", "__doc__": "A program."}
            exec(compile(found[target], "emitted", "exec"), scope)
            model = scope["M"]() if target == "torch" else scope["build_model"]()
            model(framework.ones((2, 8)))
            parameters = list(model.parameters()) if target == "torch" else model.trainable_variables
            assert len(parameters) == 4, (place, name)
            if target == "keras":
                kept = model.layers[2].get_config()
                again = type(model.layers[2]).from_config(kept)
                assert again.get_config() == kept and again.name == model.layers[2].name, (place, name)
    assert tried > 300


TWO = """\
block B() {{ input z; {one} = z -> Dense(3); {other} = z -> Dense(3); output o = ({one} - {other}) -> Dense(2) }}
layer L() {{ input {one}; input {other}; output o = {one} - {other} * 2 }}
model M {{ input x: float[8]; output y = (x -> B(), x -> B()) -> L() -> Dense(2) with loss=mse }}
"""


@pytest.mark.parametrize("name", ["name", "mask", "training", "dtype", "__x", "layer__x", "class"])
def test_two_names_stay_two(name: str) -> None:
    """`name` is written as `name_` where a program has its own, and so `name_` as another."""
    twin, found = emitted(TWO.format(one="one", other="other")), emitted(TWO.format(one=f"{name}_", other=name))
    if found is None:
        return
    assert twin is not None
    for target, text in found.items():
        assert not list(differences(twin[target], text, lambda one, other: True)), (target, text)
        assert target != "keras" or not re.search(r"def call\(.*\bmask:", text)  # Keras gives such its masks


def test_names_stay_apart() -> None:
    names = {f"{start}{name}{end}" for name in PYTHON for start in ("", "_", "__", "layer") for end in ("", "_", "__")}
    for spelled in (python_name, attribute_name, class_name):
        assert len({spelled(name) for name in names}) == len(names), spelled


def test_lists_are_complete() -> None:
    """What is avoided is what the templates define, and what torch has."""
    files = (ROOT / "templates").glob("*/helpers/*.py")
    bodies = [ast.parse(path.read_text(encoding="utf-8")).body for path in files]
    defined = {node.name for body in bodies for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert defined == HELPERS | TRAINING_HELPERS
    torch = pytest.importorskip("torch")
    assert {name for name in dir(torch.nn.Module()) if not name.startswith("_")} <= MODULE_ATTRIBUTES
