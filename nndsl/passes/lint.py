"""Warnings about what is allowed and almost surely not meant. (Those about losses stand in `outputs`.)"""

from __future__ import annotations

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.ir.graph import LayerUse, Model

_SMALL_TABLE = 512
_LIKELY_RATIO = 4


def lint(model: Model, problems: Problems) -> None:
    for use in model.layers:
        config = use.config
        if config.title() == "Embedding":
            _embedding(use, problems)
        elif config.title() == "Activation" and use.nodes:
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


def _two_activations(use: LayerUse, problems: Problems) -> None:
    value = use.nodes[0].inputs[0]
    if value.producer is None:
        return
    before = value.producer.layer
    earlier = getattr(before.config, "activation", None)
    if earlier is None or "linear" in (earlier.title(), use.config.activation.title()):
        return
    if hasattr(before.config, "recurrent_activation") or hasattr(before.config, "recurrent_initializer"):
        return  # the activation of a recurrent layer works inside its steps
    problems.warning(
        "NN0905",
        f"two activations in a row: `{earlier.title()}` and then `{use.config.activation.title()}`",
        use.arguments.get("activation", use.name_span),
        "the second",
        related=(Label(before.arguments.get("activation", before.name_span), "the first"),),
        help="leave one of them out",
    )
