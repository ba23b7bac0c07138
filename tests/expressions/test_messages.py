"""Wrong expressions, and what is said of each: `golden/messages.txt`, which is read as prose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.diagnostics import codes
from nndsl.diagnostics.model import Diagnostic, Problems, Severity
from nndsl.diagnostics.render import render_text
from nndsl.source import SourceFile

INPUTS = """\
    input x: float[8]
    input y: float[16]
    input seq: float[T, 8]
    input other: float[S, 8]
    input ids: int[8]
    input flag: bool[8]
    input image: float[32, 32, 3]
"""
WRONG = {
    # shapes
    "sizes": "output o = x + y",
    "ranks": "output o = seq * x",
    "ranks_at_the_end": "output o = seq + seq[:, 0]",
    "free_sizes": "output o = seq - other",
    "inside": "output o = x * sigmoid(y) + 0.5",
    "batch_axis": "output o = x[:, none] * sum(stack([seq, seq], axis=1), axis=0)",
    "matrices": "output o = seq @ y",
    "inner_sizes": "output o = seq @ seq",
    "vectors": "output o = x @ x",
    "vector_of_each": "output o = seq @ x",
    "sum_over_batch": "output o = sum(x, axis=0) @ x",
    # dtypes
    "dtypes": "output o = x + ids",
    "float_with_ids": "output o = ids * 0.5",
    "whole_division": "output o = ids / 2",
    "exp_of_ids": "output o = exp(ids)",
    "bools": "output o = (x > 0) * x",
    "bool_number": "output o = x + true",
    "clip_ids": "output o = clip(ids, 0.5, 2)",
    "condition": "output o = where(x, x, 0)",
    # the batch axis
    "slice_of_batch": "output o = x[0]",
    "range_of_batch": "output o = x[1:, 0]",
    "axis_before_batch": "output o = x[none]",
    "one_for_all": "output o = sum(x, axis=0)",
    "mean_of_all": "output o = mean(x) with loss=mse",
    "into_a_layer": "output o = sum(x, axis=0) -> Dense(4)",
    "transpose_batch": "output o = transpose(seq)",
    "transpose_some": "output o = transpose(seq, (1, 0))",
    "concat_batch": "output o = concat([x, x], axis=0)",
    "stack_batch": "output o = stack([x, x])",
    "expand_batch": "output o = expand_dims(x, 0)",
    "squeeze_batch": "output o = squeeze(x, axis=0)",
    "tile_batch": "output o = tile(x, (2, 1))",
    "pad_batch": "output o = pad(x, ((1, 0), (0, 0)))",
    "einsum_batch": 'output o = einsum("bij,kj->bik", seq, x)',
    "einsum_inside": 'output o = einsum("bij->ibj", seq)',
    # places and sizes
    "position": "output o = x[:, 8]",
    "too_many": "output o = x[:, 0, 0]",
    "reach": "output o = x[:, :9]",
    "empty": "output o = x[:, 3:3]",
    "backwards": "output o = x[:, ::-1]",
    "two_rests": "output o = x[.., ..]",
    "rest_of_nothing": "output o = x[:, 0, .., 1]",
    "tensor_as_position": "output o = x[:, ids]",
    "axis": "output o = sum(x, axis=2)",
    "axis_twice": "output o = sum(seq, axis=(1, 1))",
    "reshape": "output o = reshape(x, (3, 3))",
    "squeeze": "output o = squeeze(x, axis=1)",
    "concat_sizes": "output o = concat([seq, image], axis=1)",
    "einsum_axes": 'output o = einsum("bij,bj->bi", x, x)',
    "einsum_sizes": 'output o = einsum("bi,bi->b", x, y)',
    "einsum_count": 'output o = einsum("bi,bi->b", x)',
    "einsum_text": 'output o = einsum("bi,bj", x, y)',
    "tile_count": "output o = tile(x, (1, 1, 2))",
    # names and arguments
    "function": "output o = sigmod(x)",
    "other_library": "output o = unsqueeze(x, 1)",
    "as_a_sign": "output o = power(x, 2)",
    "argument": "output o = sum(x, axes=1)",
    "torch_argument": "output o = sum(x, dim=1)",
    "missing": "output o = where(x > 0, x)",
    "missing_argument": "output o = clip(x, 0)",
    "surplus": "output o = exp(x, x)",
    "not_a_list": "output o = concat(x, x, x)",
    "twice": "output o = sum(x, 1, axis=1)",
    "unnamed_last": "output o = sum(x, axis=1, true)",
    "value": "output o = exp(z) + z",
    "option": "output o = x * relu",
    "text": 'output o = x + "1"',
    "list": "output o = x + [1, 2]",
    "axis_type": "output o = sum(x, axis=0.5)",
    "number_alone": "output o = 0.5 * 2",
    "number_as_tensor": "output o = zeros_like(3)",
    "log_of_nothing": "output o = x * log(0)",
    "clip_order": "output o = clip(x, 1, 0)",
    "arange_empty": "output o = x + arange(8, 0)",
    "several": "output o = exp((x, y))",
    "logic": "output o = cast(x > 0 and x < 1, float)",
    "not": "output o = cast(not flag, float)",
    # stages
    "stage": "output o = x -> exp()",
    "bare_stage": "output o = x -> sum",
    "activation_stage": "output o = x -> relu()",
    "layer_inside": "output o = exp(Dense(4))",
    "flow_inside": "output o = x -> Dense(8) + x",
    "shared_or_function": "a = concat(x, axis=1)\n    output o = a -> a",
    "uniform": "output o = random_uniform(like=x, min=1, max=0)",
    "random_ids": "output o = random_normal(ids)",
    # penalties
    "penalty_axes": "penalty p = square(x)\n    output o = x -> Dense(1) with loss=mse",
    "penalty_ids": "penalty p = sum(ids)\n    output o = x -> Dense(1) with loss=mse",
    "penalty_option": "penalty p = sum(x) with weigth=2\n    output o = x -> Dense(1) with loss=mse",
    "penalty_weight": 'penalty p = sum(x) with weight="a"\n    output o = x -> Dense(1) with loss=mse',
    "penalty_name": "penalty x = sum(x)\n    output o = x -> Dense(1) with loss=mse",
    "loop": "a = exp(b) + 1\n    b = a * 2\n    output o = b",
}


def check(statement: str) -> tuple[str, list[Diagnostic]]:
    text = f"model M {{\n{INPUTS}    {statement}\n}}\n"
    problems = Problems()
    pipeline.check(SourceFile("model.nn", text), problems)
    return text, [problem for problem in problems.sorted() if problem.severity is Severity.ERROR]


@pytest.mark.parametrize("name", WRONG)
def test_one_mistake_is_one_message_at_its_place(name: str) -> None:
    _, problems = check(WRONG[name])
    assert len(problems) == 1, [problem.message for problem in problems]
    problem = problems[0]
    assert codes.find(problem.code) is not None
    assert problem.help or problem.fixes
    assert "{" not in problem.message + (problem.help or ""), problem.message
    span = problem.primary.span
    assert span.text not in ("", WRONG[name]), problem.message
    assert "\n" not in span.text


def test_messages(golden: Callable[[Path | str, str], None]) -> None:
    parts = []
    for name in WRONG:
        _, problems = check(WRONG[name])
        parts.append(f"# {name}\n{render_text(problems)}")
    golden("golden/messages.txt", "\n".join(parts))


@pytest.mark.parametrize("statement", [
    "output o = x ** 2", "mean = mean(x, axis=-1, keepdims=true)\n    output o = mean * mean",
    "output o = x[:, none, :] * seq", "output o = seq + seq", "output o = ids + 1", "output o = 2 ** ids",
    "output o = sqrt(2) * x", "output o = -x", "output o = +x - -x", "output o = x if 1 < 2 else y",
    "output o = (x if true else y) + 1", "output o = exp((x -> Dense(4)))", "output o = (x > 0) == flag",
    "shared norm = LayerNormalization()\n    output o = norm(x, axis=-1, keepdims=true) * (x -> norm)",
])  # fmt: skip
def test_right(statement: str) -> None:
    _, problems = check(statement)
    assert not problems, problems[0].message
