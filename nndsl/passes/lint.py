"""Warnings about what is allowed and almost surely not meant. (Those about losses stand in `outputs`.)"""

from __future__ import annotations

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.ir.graph import LayerUse, Model
from nndsl.source import Span

_SMALL_TABLE = 512
_LIKELY_RATIO = 4


def lint(model: Model, problems: Problems) -> None:
    for use in model.layers:
        config = use.config
        if config.title() == "Embedding":
            _embedding(use, problems)
        elif config.title() in ("Activation", *_ALONE) and use.nodes:
            _two_activations(use, problems)


def _embedding(use: LayerUse, problems: Problems) -> None:
    """`Embedding(64, 10000)`: a vocabulary smaller than the vectors, by far, is the two sizes swapped. Tables of a few
    hundred entries with wide vectors are usual (positions in transformers: `Embedding(197, 768)`)."""
    words, size = use.config.input_dim, use.config.output_dim
    if size < _LIKELY_RATIO * words or size <= 2 * _SMALL_TABLE:
        return
    places = [use.arguments[name] for name in ("input_dim", "output_dim") if name in use.arguments]
    if len(places) == 2:
        first, second = places
        problems.warning(
            "NN0904",
            f"`Embedding` gets {words:,} ids and vectors of {size:,} numbers: the two sizes look swapped",
            first.to(second) if first.start < second.start else second.to(first),
            "the number of ids comes first, then the size of a vector",
            help=f"if {size:,} is the size of the vocabulary, swap them",
            fixes=(Fix("swap the two sizes", (Edit(first, second.text), Edit(second, first.text))),),
        )


_ALONE = ("ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax")  # layers that are activations themselves


def _applied(use: LayerUse) -> tuple[str, Span] | None:
    """The activation that a layer applies last, and its place; None where it has none."""
    config = use.config
    if config.title() in _ALONE:
        return config.title(), use.name_span
    activation = getattr(config, "activation", None)
    if activation is None or config.doubtful or activation.title() == "linear":
        return None
    if hasattr(config, "recurrent_activation") or hasattr(config, "recurrent_initializer"):
        return None  # the activation of a recurrent layer works inside its steps
    return activation.title(), use.arguments.get("activation", use.name_span)


def _two_activations(use: LayerUse, problems: Problems) -> None:
    producer = use.nodes[0].inputs[0].producer
    second = _applied(use)
    first = _applied(producer.layer) if producer is not None else None
    if first is None or second is None:
        return
    problems.warning(
        "NN0905",
        f"two activations in a row: `{first[0]}` and then `{second[0]}`",
        second[1],
        "the second",
        related=(Label(first[1], "the first"),),
        help="leave one of them out",
    )
