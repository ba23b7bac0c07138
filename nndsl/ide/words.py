"""What the words of the language mean: keywords, dtypes, settings; Markdown. The sentences follow docs/language.md."""

from __future__ import annotations

KEYWORDS = {
    "model": (
        "`model NAME { … }`: what flows in, through which layers, and what comes out. Comment lines directly "
        "above become its documentation."
    ),
    "block": (
        "`block NAME(parameters) { … }`: a part of a network with a name. It is called like a layer, and each "
        "call has fresh weights."
    ),
    "layer": (
        "`layer NAME(parameters) { … }`: a layer of one's own, with weights, that computes with tensor "
        "expressions. It is called, shared, repeated and imported like any layer."
    ),
    "param": (
        "`param NAME = value with min=…, max=…, choices=[…]` names a value of the file. `--set NAME=value` "
        "gives it another one, of the same kind and within these bounds."
    ),
    "import": '`from "blocks/resnet.nn" import Residual, Stage` brings in blocks and layers of another file.',
    "from": (
        '`from "blocks/resnet.nn" import Residual, Stage` brings in blocks and layers of another file. The '
        "path is relative to the file that it stands in."
    ),
    "input": (
        "`input NAME: DTYPE[dims]` declares what flows in, without the batch axis. A dimension is an integer, "
        "a name (any size, the same wherever the name stands) or `?` (any size)."
    ),
    "shared": (
        "`shared NAME = LAYER` makes one set of weights; every use of NAME is the same layer. A block can be "
        "shared too."
    ),
    "output": (
        "`output NAME = flow with loss=…, weight=…, metrics=[…]`. `output NAME` alone makes an output of a "
        "value that has that name. An output without a loss is computed and predicted, not trained on."
    ),
    "penalty": (
        "`penalty NAME = expression with weight=…` adds a term to what training minimises: one float for the "
        "batch, or one for each sample, of which the mean is taken."
    ),
    "trainable": (
        "`trainable NAME: [sizes] = initializer with regularizer=…, constraint=…`: a weight of a layer of "
        "one's own that training changes."
    ),
    "state": (
        "`state NAME: [sizes] = initializer`: a weight of a layer of one's own that `update` changes and "
        "training does not."
    ),
    "update": (
        "`update NAME = expression` changes a state at every call, `update … with training=true` in training alone."
    ),
    "submodel": (
        "`submodel NAME(from…) = to` names the part of the graph between those values: same layers, same "
        "weights. In the torch program it is a method, in the Keras program a model of its own."
    ),
    "branch": (
        "`x -> branch { … }`: each line is a pipeline that starts from the value that flowed in; the branch "
        "gives all their results, in order, to the next layer. `Identity()` passes the value through."
    ),
    "repeat": (
        "`repeat 2 { … }` runs one pipeline several times, each time with fresh weights. `repeat i in 0..4 { "
        "… }` and `repeat (filters, depth) in [(16, 2), (32, 3)] { … }` bind names in each round."
    ),
    "in": "`repeat i in 0..4 { … }` binds a name in each round to an item of a list or range.",
    "with": (
        "What else a statement says: `output y = … with loss=mse, metrics=[mae]`, `input x: float[8] with "
        "batch=50`, `param n = 10 with min=2`, `source table = … with test=0.2`."
    ),
    "if": (
        "`a if condition else b`: a choice that is made when the program is compiled. In the arm that is not "
        "chosen only names are checked."
    ),
    "else": "`a if condition else b`: what is taken where the condition does not hold.",
    "and": "Both conditions hold. It is for values that are known at compile time; `logical_and` is for tensors.",
    "or": "One of two conditions holds. It is for values that are known at compile time; `logical_or` is for tensors.",
    "not": (
        "The condition does not hold. It is for values that are known at compile time; `logical_not` is for tensors."
    ),
    "source": (
        "`source NAME = reader(…) with test=…, validation=…, seed=…` opens data, from which inputs and "
        "outputs are filled."
    ),
    "train": (
        "`train { … }` holds what `nndsl run` and the emitted programs train with; without it Keras's defaults hold."
    ),
    "data": (
        "`data { … }` says where the data come from: sources, and what of them fills every input and every "
        "output with a loss."
    ),
    "options": "`options { … }` holds what is true of the whole model: `data_format` and `float`.",
}

DTYPES = {
    "float": "The model's float type: float32, unless `options { float = … }` says otherwise.",
    "int": "Whole numbers of 32 bits, as in `int32`.",
    "bool": "`true` or `false`.",
    "float16": "Floats of 16 bits.",
    "bfloat16": "Floats of 16 bits with the range of float32.",
    "float32": "Floats of 32 bits.",
    "float64": "Floats of 64 bits.",
    "int8": "Whole numbers from -128 to 127.",
    "int16": "Whole numbers of 16 bits.",
    "int32": "Whole numbers of 32 bits.",
    "int64": "Whole numbers of 64 bits.",
    "uint8": "Whole numbers from 0 to 255.",
}

ATTRIBUTES = {
    "shape": (
        "The sizes of a value, known when the program is compiled: `x.shape[0]` is the batch axis, "
        "`x.shape[-1]` the last one."
    ),
    "dtype": "The dtype of a value, known when the program is compiled.",
}
