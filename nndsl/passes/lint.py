"""Warnings about what is allowed and almost surely not meant. (Those about losses stand in `outputs`.)"""

from __future__ import annotations

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.ir.graph import Input, LayerUse, Model, Node
from nndsl.passes.infer import chain, origin
from nndsl.source import Span

_SMALL_TABLE = 512
_LIKELY_RATIO = 4


def lint(model: Model, problems: Problems) -> None:
    for use in (use for graph in (model, *model.held) for use in graph.layers):
        config = use.config
        if config.title() == "Embedding":
            _embedding(use, problems)
        elif config.title() in ("Activation", *_ALONE) and use.nodes:
            _two_activations(use, problems)
        elif config.title() in _SUMMING:
            for node in use.nodes:
                _one_channel(node, model, problems)
    if model.data_format == "channels_last" and not problems.has_errors:
        for item in model.inputs:
            _channels_first(item, problems)


_SUMMING = ("Add", "Subtract", "Average", "Maximum", "Minimum")  # not `Multiply`: a gate has one channel


def _one_channel(node: Node, model: Model, problems: Problems) -> None:
    """A residual whose shortcut has one channel: it is stretched over all the others. Vectors are let pass, and other
    axes that are stretched too: there it is meant."""
    types = node.input_types
    rank = types[0].rank
    if rank < 3 or any(not t.known or not t.batched or t.rank != rank for t in types):
        return
    axis = 1 if model.data_format == "channels_first" and rank > 3 else rank - 1
    if len({(*t.shape[1:axis], *t.shape[axis + 1 :]) for t in types}) > 1:
        return
    sizes = [t.shape[axis] for t in types]
    several = next((size for size in sizes if size != 1), None)
    if 1 not in sizes or several is None:
        return
    single = node.inputs[sizes.index(1)]
    title = node.layer.config.title()
    related = {origin(value): f"{f'`{value.name}`' if value.name else 'this'} is {value.type}" for value in node.inputs}
    maker = single.maker
    producer = maker.layer if maker is not None else None
    argument = next((n for n in ("filters", "units") if producer is not None and n in producer.arguments), None)
    help = "a mask that weighs all channels alike is a `Multiply()`"
    fixes: tuple[Fix, ...] = ()
    if producer is not None and argument is not None and not producer.shared and isinstance(several, int):
        place = producer.arguments[argument]
        help = f"write `{producer.config.title()}({several}, …)` for the one with a single channel; {help}"
        fixes = (Fix(f"change to `{several}`", (Edit(place, str(several)),)),)
    else:
        help = f"bring both to {several} channels, for instance with `Conv{min(rank - 2, 3)}D({several}, 1)`; {help}"
    problems.warning(
        "NN0910",
        f"`{title}` of 1 and {several} channels: the single channel is used again for each of the {several}",
        node.layer.name_span if not node.layer.shared else node.span,
        related=tuple(Label(place, text) for place, text in related.items()),
        notes=chain(node.inputs),
        help=help,
        fixes=fixes,
    )


_IMAGE_LAYERS = ("Conv2D", "SeparableConv2D", "DepthwiseConv2D", "MaxPooling2D", "AveragePooling2D")
_SMALLEST_SIDE = 16


def _channels_first(item: Input, problems: Problems) -> None:
    """`float[3, 224, 224]` into a layer that takes the last axis for the channels."""
    sizes = item.value.type.features
    if len(sizes) != 3 or sizes[0] not in (1, 3) or sizes[1] != sizes[2]:
        return
    side = sizes[1]
    if not isinstance(side, int) or side < _SMALLEST_SIDE:
        return
    for node in item.value.uses:
        title = node.layer.config.title()
        if title in _IMAGE_LAYERS and getattr(node.layer.config, "data_format", None) != "channels_first":
            problems.warning(
                "NN0911",
                f"`{item.name}` looks like an image with its channels first, and `{title}` takes the last axis for "
                f"the channels: {side} of them",
                origin(item.value),
                f"{sizes[0]} channels?",
                related=(Label(node.layer.name_span, f"sees an image of {sizes[0]} x {side}"),),
                help=f"write `options {{ data_format = channels_first }}`, or bring the data as "
                f"`float[{side}, {side}, {sizes[0]}]`",
            )
            return


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
    producer = use.nodes[0].inputs[0].maker
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
