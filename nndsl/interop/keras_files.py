"""The worker of `keras_weights`: builds the emitted Keras program, and says where its weights are in a file of Keras's,
or writes such a file. It runs in a process of its own (`workers`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nndsl.interop.worker import Job, serve

# Numbers that no variable of Keras's own starts from; float32 holds them exactly.
_FIRST_MARK = 1_000_003


def work(job: Job) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """`layout` and `optimizer` (a plan of `optimizer_names`, or None) say what the model has; with `write`, a path, the
    arrays by canonical name become that file."""
    from nndsl.interop import keras_side

    program = job.load_program()
    model = program.build_model()
    variables = keras_side.find_variables(model, job.data["layout"])
    kept: list[tuple[str, Any]] = []  # several variables may have one name
    plan = job.data["optimizer"]
    if plan is not None:
        program.compile_model(model)
        model.optimizer.build(model.trainable_variables)
        kept = keras_side.find_state(model, variables, plan)
    path = job.data["write"]
    if path is None:
        return {"places": _places(model, [*variables.items(), *kept], job)}, {}
    keras_side.assign(model, variables, job.arrays)
    for name, variable in kept:
        if name in job.arrays:
            variable.assign(job.arrays[name])
    if path.endswith(".keras"):
        model.save(path)
    else:
        model.save_weights(path)
    return {}, {}


def _places(model: Any, named: Sequence[tuple[str, Any]], job: Job) -> list[dict[str, Any]]:
    """Every array of a file that this version of Keras writes for the model, with the canonical name of what it holds:
    each variable is filled with the number of its name, which is then looked for."""
    import h5py

    marks = dict(enumerate(dict(named), _FIRST_MARK))
    numbers = {name: number for number, name in marks.items()}
    for name, variable in named:
        variable.assign(np.full(variable.shape, numbers[name], str(variable.dtype)))
    path = str(job.folder / "marked.weights.h5")
    model.save_weights(path)
    found: list[dict[str, Any]] = []

    def visit(place: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            values = np.unique(item[()])
            name = marks.get(int(values[0])) if len(values) == 1 else None
            found.append({"place": place, "name": name, "shape": list(item.shape), "dtype": item.dtype.name})

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    missing = set(numbers) - {item["name"] for item in found}
    if missing:
        raise LookupError(f"Keras does not save {sorted(missing)}")
    return found


if __name__ == "__main__":
    serve(work)
