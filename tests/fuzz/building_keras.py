"""A sample of right programs in Keras: `python -m tests.fuzz.building_keras --seed 1 --inputs 200`.

One process, since importing TensorFlow takes seconds; a line of JSON for each finding, and one at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from math import prod
from random import Random
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np

from nndsl import pipeline
from nndsl.interop import keras_side, verify_data
from nndsl.interop.modules import import_text
from nndsl.ir.graph import CheckedProgram
from nndsl.passes.weight_layout import layout, plain
from nndsl.views.summary import summarize
from tests.fuzz import kinds
from tests.fuzz.oracles import MAIN, Finding, check
from tests.fuzz.predicted import expected, small_enough


def build_in_keras(program: CheckedProgram) -> bool:
    """Raises Finding where it does not build as predicted; False where it is too large to run."""
    model = program.models[-1]
    found = summarize(model)
    try:
        sizes = dict(verify_data.size_sets(model)[0])
    except verify_data.NoSizes:
        return False
    if not small_enough(found, sizes):
        return False
    keras_side.begin_anew()
    module = import_text(pipeline.emit(program, "keras"), model.name)
    try:
        network: Any = module.build_model()
        keras_side.find_variables(network, plain(layout(model)))  # every weight under its name, with its shape
        trainable = sum(prod(v.shape) for v in network.trainable_variables)
        if trainable != found.trainable:
            raise Finding("parameters", f"Keras trains {trainable}, the summary says {found.trainable}")
        rows = model.batch or 2
        given = list(verify_data.inputs(model, sizes, rows, 1).values())
        results = network(given[0] if len(given) == 1 else given, training=False)
        got = {name: (tuple(y.shape), np.asarray(y).dtype.name) for name, y in results.items()}
        if got != expected(model, sizes, rows):
            raise Finding("shapes", f"Keras gives {got}, predicted is {expected(model, sizes, rows)}")
    finally:
        sys.modules.pop(module.__name__, None)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--inputs", type=int, default=200)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    built = findings = 0
    for number in range(args.inputs):
        files, values = kinds.KINDS["grammar"](Random(f"{args.seed}:{number}"))
        program, _ = check(files, values)
        if program is None or not program.models:
            continue
        try:
            built += build_in_keras(program)
        except Exception as error:
            findings += 1
            text = f"{type(error).__name__}: {error}"[:600]
            print(json.dumps({"number": number, "error": text, "main": files[MAIN], "files": dict(files)}), flush=True)
    print(json.dumps({"seed": args.seed, "inputs": args.inputs, "built": built, "findings": findings}))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
