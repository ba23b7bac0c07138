"""`nndsl graph`: the three forms, and where the boxes go."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from nndsl import check
from nndsl.views import graph
from nndsl.views.graph import Arrow, Box, Drawing
from nndsl.views.graph_layout import BEND_GAP, GAP, lay_out
from nndsl.views.svg import svg

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = Drawing(
    'A"]; <b>&',
    (Box("input", ('x"\\', "<script>alert(1)</script>")), Box("layer", ("end", 'a"b\\n#;`|{}', "float[1]"))),
    (Arrow(0, 1, 'h"|<i>'),),
)


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg"])
@pytest.mark.parametrize("name", ["functional", "siamese", "inception", "translate"])
def test_the_pictures(nndsl, example, golden, name, form):
    golden(f"golden/{name}.{form}", nndsl("graph", example(name), "--format", form).out)


def test_each_layer_has_its_name_its_arguments_and_its_shape(nndsl, example):
    root = ElementTree.fromstring(nndsl("graph", example("inception")).out)
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"tower_conv2d_3", "Conv2D(128, 3, strides=2, padding=same, activation=relu)", "float[32, 32, 512]"} <= set(
        texts
    )


def test_every_example_can_be_drawn(nndsl, example):
    for file in sorted(example("functional").parent.glob("*.nn")):
        ran = nndsl("graph", file)
        assert ran.code == 0, ran.err
        root = ElementTree.fromstring(ran.out)
        width, height = float(root.get("width", "0")), float(root.get("height", "0"))
        for box in list(root.iter(f"{SVG}rect"))[1:]:
            x, y, w, h = (float(box.get(key, "nan")) for key in ("x", "y", "width", "height"))
            assert x >= -0.5 and x + w <= width - 47.5 and y >= 0 and y + h <= height - 47.5, file


def test_calls_of_a_shared_layer_are_marked(nndsl, example):
    out = nndsl("graph", example("siamese"), "--format", "mermaid").out
    assert "encoder (shared, call 1)" in out and "encoder (shared, call 2)" in out


def test_several_results_and_tensor_arguments_are_told_apart(nndsl, example):
    out = nndsl("graph", example("translate"), "--format", "dot").out
    assert "as initial_state" in out


def test_one_value_given_twice():
    drawing = graph.draw(check("model A {\n input x: float[2]\n output y = (x, x) -> Add() -> Dense(1)\n}").main)
    assert [(a.source, a.target, a.label) for a in drawing.arrows] == [(0, 1, "2 times"), (1, 2, ""), (2, 3, "")]


def test_no_text_is_markup():
    root = ElementTree.fromstring(svg(HOSTILE))
    assert not list(root.iter(f"{SVG}script")) and not list(root.iter(f"{SVG}b"))
    assert "<script>alert(1)</script>" in [text.text for text in root.iter(f"{SVG}text")]
    mermaid = graph.mermaid(HOSTILE)
    labels = re.findall(r'"([^"]*)"', mermaid)
    assert mermaid.count('"') == 2 * len(labels) == 6
    assert not any(char in label.replace("<br/>", "") for label in labels for char in '<>"`|{}&\\')
    dot = graph.dot(HOSTILE)
    assert r'n0 [label="x\"\\\n<script>alert(1)</script>"' in dot and r'[label="h\"|<i>"]' in dot


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not there")
def test_graphviz_reads_it():
    ran = subprocess.run(["dot", "-Tsvg"], input=graph.dot(HOSTILE), capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("seed", range(20))
def test_boxes_never_overlap_and_arrows_lead_down(seed):
    chance = random.Random(seed)
    count = chance.randint(2, 40)
    widths = [chance.uniform(40, 300) for _ in range(count)]
    arrows = [(chance.randrange(target), target) for target in range(1, count) for _ in range(chance.randint(0, 3))]
    layout = lay_out(widths, sorted(set(arrows)))
    assert sorted(place.box for rank in layout.ranks for place in rank if place.box >= 0) == list(range(count))
    for rank in layout.ranks:
        for left, right in pairwise(rank):
            gap = GAP if left.box >= 0 and right.box >= 0 else BEND_GAP
            assert right.x - left.x >= (left.width + right.width) / 2 + gap - 2 * GAP / 3
        assert all(place.x - place.width / 2 >= -0.01 for place in rank)
        assert all(place.x + place.width / 2 <= layout.width + 0.01 for place in rank)
    for path in layout.paths:
        assert [place.rank for place in path] == list(range(path[0].rank, path[-1].rank + 1))


def test_a_chain_is_a_straight_line():
    layout = lay_out([100.0, 240.0, 60.0, 180.0], [(0, 1), (1, 2), (2, 3)])
    assert len({place.x for rank in layout.ranks for place in rank}) == 1


def test_the_file_is_written(nndsl, example, tmp_path):
    out = tmp_path / "picture.svg"
    assert nndsl("graph", example("functional"), "-o", out).code == 0
    assert out.read_text(encoding="utf-8").startswith("<svg ")
    ran = nndsl("graph", example("functional"), "-o", tmp_path)
    assert ran.code == 2 and "is a folder" in ran.err


def test_problems_of_the_file(nndsl, wrong):
    ran = nndsl("graph", wrong, "--format", "dot")
    assert ran.code == 1 and ran.out == "" and "NN0203" in ran.err
