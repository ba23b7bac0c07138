"""What a trained model is worth: its numbers on held-out data, and the files that show them."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from nndsl.ir.graph import Model, Submodel
from nndsl.layers.entry import snake_case
from nndsl.runtime.engine import Array, Batch, Engine, Rowed, Rows
from nndsl.runtime.loop import History, Plan, batches_of
from nndsl.runtime.reports.judged import Judged
from nndsl.runtime.results import table
from nndsl.runtime.run_folder import METRICS
from nndsl.runtime.slots import trained
from nndsl.runtime.tally import Result

if TYPE_CHECKING:
    from nndsl.runtime.session import Session

DRAWN = 20_000
"""How many rows of the held-out data the pictures show at most."""
_NUMBERS = 5_000_000
"""How many numbers of one output they hold at most."""


def judge(session: Session, history: History, stream: TextIO) -> Result | None:
    """Evaluates on the test part, or on the validation part where there is no other; says the numbers, and fills the
    folder with them and with pictures. Raises RunFailed, CannotWrite."""
    from nndsl.runtime.reports.metrics import metrics_of, write_metrics
    from nndsl.runtime.reports.write import write_reports

    results: dict[str, Result] = {}
    judged: list[Judged] = []
    scatters: dict[str, tuple[Array, Array | None]] = {}
    found = held_out_part(session.dataset)
    if found is None:
        stream.write(
            "no data is held out: `with test=0.2` behind the source judges the model on rows it has not seen\n"
        )
    else:
        name, title, part = found
        result = results[name] = evaluated(session.engine, part, session.plan)
        stream.write(f"{title}, {len(part):,} samples:\n{table(result)}\n")
        judged, scatters = _shown(session, part)
    if not session.folder.writes:
        return next(iter(results.values()), None)
    if results:
        write_metrics(session.folder.file(METRICS), results)
    write_reports(
        session.folder.path, session.model.name, history, judged, scatters,
        session.folder.about | {"results": metrics_of(results)},
        note=lambda text: session.progress.say(f"note: {text}"),
    )  # fmt: skip
    return next(iter(results.values()), None)


def held_out_part(dataset: Any) -> tuple[str, str, Rowed] | None:
    """What judges the model: (name in metrics.json, title, rows)."""
    for name, title in (("test", "held-out data"), ("validation", "validation data")):
        part: Rowed = getattr(dataset, name)
        if len(part):
            return name, title, part
    return None


def evaluated(engine: Engine, part: Rowed, plan: Plan) -> Result:
    """Losses and metrics over all rows of a part."""
    return engine.evaluate(engine.feed(part)(batches_of(np.arange(len(part)), plan)))


def predicted(
    engine: Engine, model: Model, part: Rowed, places: Rows, plan: Plan, submodel: Submodel | None = None
) -> Iterator[dict[str, Array]]:
    """The outputs for some rows of a part, batch by batch, by name."""
    batches = engine.feed(part)(batches_of(places, plan))
    names = [item.name for item in model.inputs] if submodel is None else list(submodel.source_names)
    chosen = (Batch({name: batch.tensors[name] for name in names}, batch.size) for batch in batches)
    yield from engine.predict(chosen, submodel)


def _shown(session: Session, part: Rowed) -> tuple[list[Judged], dict[str, tuple[Array, Array | None]]]:
    """What the pictures show: outputs beside their targets, and the plane of each submodel with two units."""
    model, outputs = session.model, trained(session.model)
    if not outputs:
        return [], {}
    size = max(prod(d if isinstance(d, int) else 1 for d in output.value.type.features) for output in outputs)
    count = max(1, min(len(part), DRAWN, _NUMBERS // max(size, 1)))
    if model.batch is not None:
        count = count // model.batch * model.batch
    places = np.unique(np.linspace(0, len(part) - 1, count).astype(np.intp)) if count < len(part) else np.arange(count)
    if model.batch is not None:  # whole batches in a row: a state may go from one to the next
        places = np.arange(count)
    if not len(places):
        return [], {}
    predictions = _joined(predicted(session.engine, model, part, places, session.plan))
    targets = part.take(places)
    judged = [
        Judged(
            output.name, predictions[output.name], targets[output.name], snake_case(type(output.loss).__name__),
            session.dataset.classes.get(output.name), bool(getattr(output.loss, "from_logits", False)),
            getattr(output.loss, "ignore_class", None),
        )
        for output in outputs
        if output.name in predictions
    ]  # fmt: skip
    scatters: dict[str, tuple[Array, Array | None]] = {}
    for submodel in planes(model):
        points = _joined(predicted(session.engine, model, part, places, session.plan, submodel))
        scatters[submodel.name] = points[submodel.target_names[0]], _labels(session, targets, places, part)
    return judged, scatters


def planes(model: Model) -> list[Submodel]:
    """The submodels that map the model's inputs to two numbers."""
    inputs = {item.name for item in model.inputs}
    return [
        submodel
        for submodel in model.submodels
        if set(submodel.source_names) <= inputs
        and len(submodel.targets) == 1
        and submodel.targets[0].type.features == (2,)
    ]


def _labels(session: Session, targets: dict[str, Array], places: Rows, part: Rowed) -> Array | None:
    """The class of each row, for colors: of an output that has classes."""
    for output in trained(session.model):
        values = targets[output.name]
        if output.loss.classes(output.value.type) is not None and values.ndim == 1:
            return values
        if values.ndim == 2 and values.shape[1] > 1 and np.isin(values, (0, 1)).all():
            ids: Array = values.argmax(1)
            return ids
    return None


def _joined(parts: Iterator[dict[str, Array]]) -> dict[str, Array]:
    """The batches one behind the other; rows of several lengths are padded with nan, or with 0 where integers."""
    found = list(parts)
    return {name: np.concatenate(_alike([part[name] for part in found])) for name in found[0]}


def _alike(arrays: list[Array]) -> list[Array]:
    shape = [max(sizes) for sizes in zip(*(array.shape[1:] for array in arrays), strict=True)]
    result = []
    for array in arrays:
        wider = [(0, 0), *((0, size - own) for size, own in zip(shape, array.shape[1:], strict=True))]
        fill = np.nan if array.dtype.kind == "f" else 0
        result.append(np.pad(array, wider, constant_values=fill) if any(more for _, more in wider) else array)
    return result
