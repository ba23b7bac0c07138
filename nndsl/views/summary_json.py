"""A summary as JSON. Sizes are integers, or formulas as text (`"T - 4"`); the batch axis is `"batch"`."""

from __future__ import annotations

import json
from typing import Any

from nndsl.ir.dims import Dim
from nndsl.ir.types import TensorType
from nndsl.views.summary import Row, Summary


def summary_json(summary: Summary) -> str:
    """One object, ASCII alone, with a line end."""
    value = {
        "model": summary.model,
        "file": summary.file,
        "float": summary.float_dtype,
        "layers": [_row(row) for row in summary.rows],
        "outputs": [
            {
                "name": output.name,
                "layer": output.value,
                **_type(output.type),
                "loss": output.loss or None,
                "weight": output.weight,
                "metrics": list(output.metrics),
            }
            for output in summary.outputs
        ],
        "submodels": list(summary.submodels),
        "conditions": list(summary.facts),
        "parameters": summary.trainable + summary.frozen,
        "trainable": summary.trainable,
        "not_trainable": summary.frozen,
        "bytes": summary.size,
        "multiply_adds": _dim(summary.multiply_adds),
    }
    return json.dumps(value, indent=2) + "\n"


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "type": row.type,
        "arguments": row.arguments,
        "inputs": list(row.inputs),
        "results": [_type(type_) for type_ in row.results],
        "call": row.call,
        "calls": row.calls,
        "parameters": row.parameters,
        "trainable": row.trainable,
        "not_trainable": row.frozen,
        "multiply_adds": _dim(row.multiply_adds),
    }


def _type(type_: TensorType) -> dict[str, Any]:
    return {"shape": [_dim(dim) for dim in type_.shape], "dtype": type_.dtype}


def _dim(dim: Dim | None) -> int | str | None:
    return dim if dim is None or isinstance(dim, int) else str(dim)
