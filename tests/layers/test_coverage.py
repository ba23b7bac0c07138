"""docs/coverage.md: every public name of real Keras is found in the catalogue, or left out with a reason that a file
gets to hear."""

from __future__ import annotations

import re
from operator import attrgetter

import pytest

from nndsl import pipeline
from nndsl.cli.main import main as run_command
from nndsl.diagnostics.model import Diagnostic, Problems
from nndsl.layers import catalogue, docs
from nndsl.layers.coverage import CATEGORIES, answer, answers, page
from nndsl.layers.keras_names import MODULES, VERSION
from nndsl.layers.left_out import GROUPS, left_out, written
from nndsl.source import SourceFile

NAMES = [(module, name) for module in MODULES for name in MODULES[module].split()]
LEFT_OUT = [
    (category, name, group) for group in GROUPS for category, names in group.names.items() for name in names.split()
]


@pytest.mark.keras
def test_the_names_are_those_of_real_keras() -> None:
    import keras

    assert keras.__version__.startswith(f"{VERSION}.")
    for module, names in MODULES.items():
        public = [name for name in dir(attrgetter(module)(keras)) if not name.startswith("_")]
        assert names.split() == public, f"keras.{module}"


@pytest.mark.keras
def test_what_is_broken_in_keras_is_still_broken() -> None:
    import keras

    image = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="part of a cycle"):
        keras.Model(image, keras.layers.Equalization()(image))
    assert not keras.ops.any(keras.activations.sparsemax(keras.ops.ones((2, 3))))


def test_every_name_is_accounted_for() -> None:
    assert [f"{module}.{name}" for module, name in NAMES if answer(module, name) is None] == []


@pytest.mark.parametrize(("category", "name"), [(category, name) for category, name, _ in LEFT_OUT])
def test_what_is_left_out_is_a_name_of_keras_and_no_entry(category: str, name: str) -> None:
    (module,) = [module for module, found in CATEGORIES.items() if found == category]
    assert name in MODULES[module].split()
    assert catalogue.find(category, name) is None
    assert catalogue.find_former(category, name) is None
    assert written(category, name) is None
    found = answer(module, name)
    assert found is not None
    assert not found.works


def test_no_name_is_left_out_twice() -> None:
    listed = [(category, name) for category, name, _ in LEFT_OUT]
    assert len(listed) == len(set(listed))


_USES = {
    "layer": "output y = x -> {}()",
    "loss": "output y = x -> Dense(1) with loss={}",
    "metric": "output y = x -> Dense(1) with loss=mse, metrics=[{}]",
    "optimizer": "output y = x -> Dense(1) with loss=mse\n    train {{ optimizer = {} }}",
    "schedule": "output y = x -> Dense(1) with loss=mse\n    train {{ optimizer = adam(learning_rate={}()) }}",
    "initializer": "output y = x -> Dense(1, kernel_initializer={})",
    "regularizer": "output y = x -> Dense(1, kernel_regularizer={})",
    "constraint": "output y = x -> Dense(1, kernel_constraint={})",
    "activation": "output y = x -> Dense(1, activation={})",
    "callback": "output y = x -> Dense(1) with loss=mse\n    train {{ callbacks = [{}()] }}",
}


def _told(category: str, name: str) -> list[Diagnostic]:
    text = f"model M {{\n    input x: float[3]\n    {_USES[category].format(name)}\n}}\n"
    problems = Problems()
    assert pipeline.check(SourceFile("test.nn", text), problems) is None
    return [problem for problem in problems if problem.severity.value == "error"]


@pytest.mark.parametrize(("category", "name", "group"), LEFT_OUT)
def test_a_file_hears_the_reason(category: str, name: str, group: object) -> None:
    (found,) = _told(category, name)
    expected = left_out(category, name)
    assert expected is group
    assert expected is not None
    assert found.code == "NN0218"
    assert found.message == f"`{name}` is not part of nndsl: {expected.reason}"
    assert found.help == expected.instead


def test_an_option_is_left_out_in_either_spelling() -> None:
    (found,) = _told("metric", "mean")
    assert found.code == "NN0218"
    (found,) = _told("optimizer", "loss_scale_optimizer")
    assert found.code == "NN0218"


@pytest.mark.parametrize("name", ["Input", "InputLayer", "Pipeline"])
def test_a_file_hears_what_is_written_in_place_of_a_layer(name: str) -> None:
    (found,) = _told("layer", name)
    expected = written("layer", name)
    assert expected is not None
    assert (found.code, found.help) == ("NN0202", expected.advice)


@pytest.mark.parametrize("name", ["schedules", "OptimizerMap"])
def test_a_file_hears_what_is_written_in_place_of_an_option(name: str) -> None:
    (found,) = _told("optimizer", name)
    expected = written("optimizer", name)
    assert expected is not None
    assert (found.code, found.help) == ("NN0217", expected.advice)


@pytest.mark.parametrize("name", ["add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract"])
def test_functions_that_merge_are_layers(name: str) -> None:
    found = answer("layers", name)
    assert found is not None
    assert found.works
    assert found.found is not None
    assert found.found.__name__.lower() == name


def test_the_command_tells_why_a_name_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["layers", "TextVectorization"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "not part of nndsl: it works on text and strings" in told
    assert "turn text into ids" in told


def _places(text: str) -> dict[str, str]:
    """What a page has under each of its headings, by their names on GitHub."""
    found: dict[str, str] = {}
    blocks = re.split(r"^(```[^`]*```)$", text, flags=re.MULTILINE)
    place = ""
    for block in blocks:
        for line in [block] if block.startswith("```") else block.split("\n"):
            if line.startswith("#"):
                name = re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
                number = next(i for i in range(len(text)) if (f"{name}-{i}" if i else name) not in found)
                place = f"{name}-{number}" if number else name
                found[place] = ""
            elif place:
                found[place] += line
    return found


def test_links_lead_somewhere() -> None:
    places = {"layers.md": _places(docs.page()), "": _places(page())}
    links = re.findall(r"\]\(([\w.]*)#([\w-]+)\)", page())
    assert len(links) > 200
    for file, place in links:
        assert place in places[file], f"{file}#{place}"
    for place in re.findall(r"\]\(#([\w-]+)\)", docs.page()):
        assert place in places["layers.md"], place


@pytest.mark.parametrize("category", list(CATEGORIES.values()))
def test_an_entry_is_linked_where_it_stands(category: str) -> None:
    """Not where something else of the same name does: a file of layers is called Attention, too."""
    places, anchors = _places(docs.page()), docs.anchors()
    for cls in catalogue.entries(category):
        assert places[anchors[cls]].startswith(f"```text\n{cls.__name__}(") or (
            category == "activation" and places[anchors[cls]].startswith(f"```text\n{catalogue.spelling(cls)}(")
        )
    assert anchors[next(cls for cls in catalogue.entries("layer") if cls.__name__ == "Attention")] == "attention-1"


def test_the_page_has_every_name_in_the_order_of_keras() -> None:
    text = page()
    for module in MODULES:
        section = text.split(f"\n## keras.{module}\n")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == MODULES[module].split()
    works = sum(item.works for module in MODULES for item in answers(module))
    assert f"{works} of {len(NAMES)} work" in text
