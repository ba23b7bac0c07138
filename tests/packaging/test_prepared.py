"""What is shipped for a quick start is what it was made of, and is set aside where that has changed since."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import nodes

from nndsl import prepare, resources
from nndsl.layers import catalogue, index
from nndsl.targets import render, skeletons, skeletons_keras, skeletons_torch

ROOT = Path(__file__).resolve().parents[2]
SKELETONS = {"torch": skeletons_torch, "keras": skeletons_keras}


def test_what_is_shipped_is_up_to_date() -> None:
    assert [*prepare.out_of_date()] == [], "run python -m nndsl.prepare"


def test_a_changed_family_is_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = '@entry("layer", "Alias", formerly=("Old",))\nclass MyLayer(Layer):\n    pass\n'
    (tmp_path / "mine.py").write_text(family, encoding="utf-8")
    made = tmp_path / "index.txt"
    made.touch()
    os.utime(tmp_path / "mine.py", ns=(1, 1))
    assert not catalogue.is_stale(str(tmp_path), str(made), ["mine.py"])
    assert catalogue.is_stale(str(tmp_path), str(made), ["mine.py", "gone.py"])
    os.utime(made, ns=(0, 0))
    assert catalogue.is_stale(str(tmp_path), str(made), ["mine.py"])
    assert catalogue.read_index(str(tmp_path)) == {
        "layer": {
            "MyLayer": ("mine", "MyLayer", False),
            "Alias": ("mine", "MyLayer", False),
            "Old": ("mine", "MyLayer", True),
        }
    }
    monkeypatch.setattr(resources, "is_checkout", lambda: True)
    monkeypatch.setattr(catalogue, "is_stale", lambda *_: True)
    monkeypatch.setattr(catalogue, "_FAMILIES", str(tmp_path))
    assert catalogue._index.__wrapped__() == catalogue.read_index(str(tmp_path))
    monkeypatch.setattr(resources, "is_checkout", lambda: False)  # an installation: nothing in it is looked at
    assert catalogue._index.__wrapped__() is index.INDEX


@pytest.mark.parametrize("target", SKELETONS)
def test_functions_of_templates_render_as_jinja_does(target: str) -> None:
    """With contexts of all kinds, more than models can bring about."""
    draw = random.Random(target)
    for name in SKELETONS[target].TEMPLATES:
        tree = render.environment().parse(resources.read_template(name))
        if name.endswith("program.py.j2"):
            tree.body += render.environment().parse(resources.read_template(f"{target}/training.py.j2")).body
        for _ in range(150):
            context = _context(tree, draw)
            wanted = render.environment().get_template(name).render(**context)
            assert SKELETONS[target].TEMPLATES[name](context) == wanted


def _context(tree: nodes.Template, draw: random.Random) -> dict[str, Any]:
    """Something for every name and attribute that the templates ask for."""
    attributes = sorted({node.attr for node in tree.find_all(nodes.Getattr)})
    lists = {_last(node.iter) for node in tree.find_all(nodes.For)}
    words = ["", "a", "a\nb\n", "  x\n\n y", "float16", 0, 7, True, False, None, '"']

    def item(depth: int) -> Any:
        if depth == 0:
            return draw.choice(words)
        found = {a: several(depth - 1) if a in lists else item(depth - 1) for a in attributes}
        return found | {"evaluate_every": 30}  # the one that a template formats as a number

    def several(depth: int) -> list[Any]:
        return [item(depth) for _ in range(draw.randrange(3))]

    names = {node.name for node in tree.find_all(nodes.Name)}
    found = {name: several(1) if name in lists else draw.choice(words) for name in names}
    return found | {"training": SimpleNamespace(**item(2)) if draw.random() < 0.5 else item(2)}


def _last(node: nodes.Node) -> str:
    return str(node.attr if isinstance(node, nodes.Getattr) else getattr(node, "name", ""))


def test_a_changed_template_is_rendered_by_jinja(monkeypatch: pytest.MonkeyPatch) -> None:
    made = dict(skeletons_torch.TEMPLATES)
    monkeypatch.setattr(skeletons_torch, "TEMPLATES", {name: lambda _: "shipped" for name in made})
    assert render.render("torch/training.py.j2") == "shipped"
    monkeypatch.setitem(skeletons_torch.SOURCES, "torch/training.py.j2", "{# another #}")
    with pytest.raises(Exception, match="'training' is undefined"):
        render.render("torch/training.py.j2")


@pytest.mark.parametrize(
    "text",
    [
        "{% for a, b in x %}{% endfor %}",
        "{% for a in x if a %}{% endfor %}",
        "{{ x | upper }}",
        "{{ x[0] }}",
        "{{ x > 1 }}",
        "{% set a = 1 %}{% include 'torch/training.py.j2' %}",
        "{% block x %}{% endblock %}",
    ],
)
def test_what_a_template_may_not_use_is_refused_when_it_is_made(text: str) -> None:
    with pytest.raises(skeletons.CannotPrepare):
        skeletons._Writer(text).function("x")


def test_prepare_says_what_is_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prepare, "_PACKAGE", str(tmp_path))
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "index.py").write_text("broken(", encoding="utf-8")
    monkeypatch.setattr(prepare, "MADE", {"layers/index.py": lambda: "INDEX = {}\n"})
    assert prepare.main(["--check"]) == 1 and "run python -m nndsl.prepare" in capsys.readouterr().err
    assert prepare.main([]) == 0 and prepare.main(["--check"]) == 0
    assert (tmp_path / "layers" / "index.py").read_text(encoding="utf-8") == "INDEX = {}\n"


# What a start must not pay for. The figures are in docs/performance.md; a time is never asserted.
NEVER = ("lark", "jinja2", "dataclasses", "inspect", "pathlib", "json", "hashlib", "tempfile", "numpy", "torch")


@pytest.mark.parametrize("command", [["check"], ["compile", "--target", "torch"], ["compile", "--target", "keras"]])
def test_a_start_imports_what_it_needs_and_no_more(command: list[str]) -> None:
    code = (
        "import sys; before = set(sys.modules); from nndsl.cli.main import main; code = main(sys.argv[1:])\n"
        f"print(code, sorted(set({NEVER!r}) & (set(sys.modules) - before)), file=sys.stderr)\n"
        "print(sorted(m for m in sys.modules if m.startswith('nndsl.layers.families.')), file=sys.stderr)"
    )
    example = str(ROOT / "examples" / "regression.nn")
    ran = subprocess.run(
        [sys.executable, "-c", code, *command, example], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    lines = ran.stderr.splitlines()
    assert lines[-2] == "0 []", ran.stderr
    assert "attention" not in lines[-1] and "convolution" not in lines[-1] and "families.core" in lines[-1]
