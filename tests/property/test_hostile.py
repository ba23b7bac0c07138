"""Names and strings that are made to break generated code: its structure must be that of harmless ones."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache

import pytest

from nndsl import pipeline
from tests.property.programs import check

HOSTILE = (
    "class def return lambda pass yield async await global nonlocal raise try finally del assert is while for "
    "match case type self cls x y h nn F np tf keras torch numpy tensorflow math random sys os ops layers forward "
    "call build main build_model train_model evaluate predict eval exec open print input_ len range zip dict list "
    "tuple set int float str bool super object property Tensor Module Parameter Sequential Model Layer parameters "
    "modules children state_dict load_state_dict to cuda device dtype register_buffer requires_grad_ zero_grad "
    "named_parameters training compile fit loss losses metrics optimizer optimizers batch batches epoch inputs "
    "outputs targets target weights result results args argv parser path seed generator functional init helpers "
    "__init__ __call__ __class__ __dict__ __name__ __import__ _ __ _x NotImplemented Ellipsis Exception T B "
    "batch_size name names value values annotations Literal Final cast"
).split()
PROGRAM = """\
# {comment}
model {model} {{
    input {first}: float[{dim}, 8]
    input {second}: float[{dim}, 8]
    shared {shared} = Dense(8, activation=relu)
    {value} = ({first} -> {shared}, {second} -> {shared}) -> Add() -> LSTM(4, name={layer})
    output {output} = {value} -> Dense(3, activation=softmax)
        with loss=categorical_crossentropy, metrics=[accuracy, AUC(name={metric})]
    output {other} = {value} -> Dense(1) with loss=mse, weight=0.5
}}
"""
HARMLESS = {
    "comment": "A harmless comment.",
    "model": "Alpha",
    "first": "bravo",
    "second": "charlie",
    "dim": "D",
    "shared": "delta",
    "value": "echo",
    "layer": "foxtrot",
    "output": "golf",
    "other": "hotel",
    "metric": '"india"',
}
STRINGS = [
    r'"\"); __import__(\'os\').system(\'true\') #"',
    r"'\'\'\' + exec(1) + \'\'\''",
    r'"\n\nimport os\nos.abort()\n"',
    '"{{ 7 * 7 }}{% for x in y %}"',
    '"{0} {x} %s %(y)s ${z}"',
    r'"\\"',
    r'"\u2028\u202e\u0000"',
    '"\N{SNOWMAN} \N{GREEK SMALL LETTER ALPHA}"',
    r'"\"\"\""',
]
COMMENTS = [
    '""" + exec("1") + """',
    "\\",
    '"',
    "{{ 7 * 7 }} {% raw %}",
    "\\N{SNOWMAN} \\x00 \\u12",
    "'''",
    'ends in a quote"',
]


def structure(code: str) -> tuple[Counter[str], set[str]]:
    """What an emitted program is made of apart from its names: nodes by kind, and the names that it calls."""
    tree = ast.parse(code)
    called = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and not (
                isinstance(function.value, ast.Name) and function.value.id == "self"
            ):
                called.add(function.attr)
    return Counter(type(node).__name__ for node in ast.walk(tree)), called


def emit(**given: str) -> dict[str, str] | None:
    """The program with some names replaced, for each target; None where a name cannot be used."""
    checked, _ = check(PROGRAM.format(**(HARMLESS | given)))
    return None if checked is None else {target: pipeline.emit(checked, target) for target in pipeline.TARGETS}


@cache
def harmless(lengths: tuple[tuple[str, int], ...] = ()) -> dict[str, tuple[Counter[str], set[str]]]:
    """The structures with harmless names, of these lengths: what fits on a line is written shorter."""
    found = emit(**{role: HARMLESS[role][0] * length for role, length in lengths})
    assert found is not None
    return {target: structure(code) for target, code in found.items()}


def compare(what: str, **given: str) -> bool:
    found = emit(**given)
    if found is None:
        return False
    names = {role: name for role, name in given.items() if role not in ("comment", "metric")}
    # A name that is taken gets underscores behind it.
    alike = [harmless(), *(harmless(tuple((r, len(n) + more) for r, n in names.items())) for more in range(3))]
    for target, code in found.items():
        try:
            found_here = structure(code)
        except SyntaxError as error:
            raise AssertionError(f"{target} with {what}: {error}\n{code}") from error
        nearest = min(
            (one[target] for one in alike), key=lambda one: (one[1] != found_here[1], one[0] != found_here[0])
        )
        assert found_here == nearest, f"{target} with {what}"
    return True


@pytest.mark.parametrize("role", ["model", "first", "dim", "shared", "value", "layer", "output"])
def test_names(role: str) -> None:
    usable = [name for name in HOSTILE if compare(f"{role} {name}", **{role: name})]
    assert len(usable) > len(HOSTILE) // 2


def test_all_names_at_once() -> None:
    given = {"model": "Module", "first": "self", "second": "x", "shared": "torch", "value": "forward", "layer": "nn"}
    assert compare("all", **given, output="F", other="np", dim="B")


@pytest.mark.parametrize("text", STRINGS)
def test_strings(text: str) -> None:
    compare(f"the string {text}", metric=text)


@pytest.mark.parametrize("text", COMMENTS)
def test_comments(text: str) -> None:
    assert compare(f"the comment {text}", comment=text)
