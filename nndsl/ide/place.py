"""What may stand at a place of the text, and the options that statements have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nndsl.ide.callees import Callee
from nndsl.layers.entry import Kind
from nndsl.layers.kinds import Bool, Float, Int, ListOf, Of

_SHARE: Kind[Any] = Float(0, 1, below=True)

WITH: dict[str, dict[str, tuple[Kind[Any] | None, str]]] = {
    "output": {
        "loss": (Of("loss"), "What training minimises for this output."),
        "weight": (Float(0), "What the loss of this output is multiplied by; 1 by default."),
        "metrics": (ListOf(Of("metric"), single=True), "What is reported of this output beside its loss."),
        "weighted_metrics": (
            ListOf(Of("metric"), single=True),
            "Metrics that heed the weights of the samples and, in training, `class_weight`.",
        ),
        "sample_weight": (
            None,
            "The name of an array of the data with a number for each sample, which its loss is multiplied by.",
        ),
        "step_weight": (None, "The name of an array of the data with a number for each step of the output."),
    },
    "input": {"batch": (Int(1), "A fixed batch size, the same for all inputs; stateful layers need it.")},
    "param": {
        "min": (Float(), "The least value that `--set` may give."),
        "max": (Float(), "The greatest value that `--set` may give."),
        "choices": (None, "The list of the values that `--set` may give."),
    },
    "penalty": {"weight": (Float(), "What the penalty is multiplied by before the loss gets it; 1 by default.")},
    "source": {
        "test": (_SHARE, "The share of the rows that is held out for the numbers at the end."),
        "validation": (_SHARE, "The share of the rows for the numbers after each epoch."),
        "seed": (Int(0), "How the rows are dealt out; the same seed gives the same parts."),
    },
    "trainable": {
        "regularizer": (Of("regularizer"), "What is added to the loss for this weight."),
        "constraint": (Of("constraint"), "What the weight is held to after every step."),
    },
    "state": {},
    "update": {"training": (Bool(), "Whether the update happens in training alone; without it at every call.")},
}
"""What may stand behind `with`, by the statement: what each takes, and what it is for."""

OPTION_DOCS = {
    "data_format": "Where images have their channels: `channels_last` (the default) or `channels_first`.",
    "float": "The model's float type; `float32` by default.",
}


@dataclass(frozen=True, eq=False)
class Place:
    """What may stand at the caret.

    `kind` is one of: "statement" (`body` says in which body; `of` is the statement before, where a `with` may follow),
    "stage", "source" (a value that flows on), "value" (known at compile time; `takes` what is wanted, None for
    anything), "argument" (of `callee`, which may be given by name or as number `position`), "maker" (of a shared
    layer), "option" (behind `with`, one of `options`), "choice" (one of `names`), "dtype", "dimension", "reader",
    "transform", "data" (a source), "attribute" (of `names`), "value name", "state name", "submodel" (its name),
    "declaration" (of a block), "path", "import", "import name", "with" (where the statement may end or go on; `of` is
    its word, `names` are other words), "nothing".
    """

    kind: str
    body: str = ""
    takes: Kind[Any] | None = None
    callee: Callee | None = None
    position: int = 0
    given: tuple[str, ...] = ()
    by_position: bool = True
    options: Mapping[str, tuple[Kind[Any] | None, str]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    of: str = ""  # the argument, setting or option whose value stands here
    path: str = ""


NOTHING = Place("nothing")
