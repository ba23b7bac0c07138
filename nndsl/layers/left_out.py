"""What Keras has and the catalogue does not: what is left out, why, and what to take instead; and what a file writes in
another way.

One table for all who tell of it: the message where a file uses such a name, `nndsl layers NAME`, and docs/coverage.md.
Read only where a name is unknown.
"""

from __future__ import annotations

from functools import cache

from nndsl.layers.entry import snake_case
from nndsl.records import record


@record
class LeftOut:
    """Names that are left out for one reason.

    `title` heads them in docs/coverage.md. `reason` goes on after "`Lambda` is not part of nndsl: ", `instead` is a
    remedy. `names` are those of each category, separated by blanks.
    """

    title: str
    reason: str
    instead: str
    names: dict[str, str]


_CATEGORIES = (
    "layer", "loss", "metric", "optimizer", "schedule", "initializer", "regularizer", "constraint", "activation",
)  # fmt: skip

GROUPS = (
    LeftOut(
        "Text and strings",
        "it works on text and strings, and a network here takes numbers",
        "turn text into ids before it gets here: `input tokens: int[T]`, which `Embedding` takes",
        {"layer": "TextVectorization StringLookup"},
    ),
    LeftOut(
        "Text and strings",
        "it hashes strings (numbers too are hashed as text)",
        "`IntegerLookup(vocabulary=[…])` gives known integers their places; hash strings before they get here",
        {"layer": "Hashing HashedCrossing"},
    ),
    LeftOut(
        "Random image augmentation",
        "random changes of images belong to the data that a network is trained with, not to the network",
        "change the images before they get here",
        {
            "layer": "AugMix CutMix MixUp RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter "
            "RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur "
            "RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation "
            "RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom"
        },
    ),
    LeftOut(
        "Random image augmentation",
        "while training it draws at random what it adds and where it begins, and after that it does nothing",
        "images can be turned around by an expression: `255 - image`",
        {"layer": "Solarization"},
    ),
    LeftOut(
        "Random image augmentation",
        "it pads the dictionaries of boxes that random image augmentation works on",
        "pad the boxes before they get here: `input boxes: float[10, 4]`",
        {"layer": "MaxNumBoundingBoxes"},
    ),
    LeftOut(
        "Audio spectrograms",
        "spectrograms of audio are made before a network gets them",
        "compute them where the audio is read, and declare what comes of it: `input spectrogram: float[T, 80]`",
        {"layer": "MelSpectrogram STFTSpectrogram", "initializer": "STFT STFTInitializer stft"},
    ),
    LeftOut(
        "Wrappers of other frameworks",
        "it holds a network of another framework, which runs in that framework alone",
        "write its layers out; what no layer does can be a `layer` of your own",
        {"layer": "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper"},
    ),
    LeftOut(
        "Quantization and loss scaling",
        "losses are scaled wherever `train` says `precision = float16`",
        "name the optimizer inside of it: `optimizer = adam`",
        {"optimizer": "LossScaleOptimizer"},
    ),
    LeftOut(
        "Callbacks of Python code",
        "it calls a function of Python, and a `.nn` file holds none",
        "a schedule is the learning rate: `optimizer = Adam(learning_rate=CosineDecay(0.001, 1000))`",
        {"callback": "LearningRateScheduler"},
    ),
    LeftOut(
        "Callbacks of Python code",
        "it calls functions of Python, and a `.nn` file holds none",
        'write what is reported into a table with `CSVLogger("log.csv")`, or add a callback to the emitted program',
        {"callback": "LambdaCallback"},
    ),
    LeftOut(
        "What a run does anyway",
        "`nndsl run` keeps what it needs to go on from where it was ended",
        "leave it out; `nndsl run --resume RUN` goes on, and `ModelCheckpoint` keeps the weights of each epoch",
        {"callback": "BackupAndRestore OrbaxCheckpoint"},
    ),
    LeftOut(
        "What a run does anyway",
        "the numbers of each epoch are shown and kept in any case",
        'leave it out; `CSVLogger("log.csv")` writes them into a table of your own',
        {"callback": "History ProgbarLogger"},
    ),
    LeftOut(
        "Callbacks that send data away",
        "what a file trains with stays on this machine",
        'write the numbers into a table with `CSVLogger("log.csv")`, or for TensorBoard with `TensorBoard("logs")`',
        {"callback": "RemoteMonitor"},
    ),
    LeftOut(
        "Means of weights",
        "evaluation sees the weights themselves, which become their means at the end of training",
        "leave it out; `optimizer = Adam(use_ema=true)` keeps the means",
        {"callback": "SwapEMAWeights"},
    ),
    LeftOut(
        "Lambda",
        "a `.nn` file holds no Python code",
        "write what it computes as an expression: `y = x * sqrt(mean(square(x), axis=-1, keepdims=true))`",
        {"layer": "Lambda"},
    ),
    LeftOut(
        "Base classes",
        "it is a base class for Python code, which does nothing of its own",
        "a layer of your own is written `layer Name(units) { … }`",
        {"layer": "Layer Wrapper"},
    ),
    LeftOut(
        "Base classes",
        "it is a class of Python code that says which inputs a layer takes",
        "leave it out: shapes and dtypes are checked in any case",
        {"layer": "InputSpec"},
    ),
    LeftOut(
        "Base classes",
        "it is a base class for Python code, which computes nothing of its own",
        "a loss of your own is written as an expression: `penalty name = mean(square(a - b), axis=-1)`",
        {"loss": "Loss"},
    ),
    LeftOut(
        "Base classes",
        "it is a base class for Python code, which computes nothing of its own",
        "name one that does",
        {
            "metric": "Metric",
            "optimizer": "Optimizer",
            "schedule": "LearningRateSchedule",
            "initializer": "Initializer",
            "regularizer": "Regularizer",
            "constraint": "Constraint",
            "callback": "Callback CallbackList",
        },
    ),
    LeftOut(
        "Base classes",
        "it gathers values that Python code hands to it, not targets and predictions",
        "name a metric of targets and predictions, such as `mae`; a value of the model can be an output of its own",
        {"metric": "Mean MeanMetricWrapper Sum"},
    ),
    LeftOut(
        "Utilities of the modules",
        "it is a function of Python, which turns objects into configurations or back",
        "write what it would give by its name",
        {
            category: "deserialize serialize" if category in ("layer", "schedule") else "deserialize get serialize"
            for category in _CATEGORIES
        },
    ),
    LeftOut(
        "Utilities of the modules",
        "it is a module of Python, which holds the optimizers of Keras 2",
        "name an optimizer of today: `optimizer = adam`",
        {"optimizer": "legacy"},
    ),
    LeftOut(
        "Broken in Keras",
        "no model of Keras 3.15 can be built with it, since what comes out counts as what goes in",
        "take `ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(1, 1), clip_limit=0)`",
        {"layer": "Equalization"},
    ),
    LeftOut(
        "Broken in Keras",
        "it is broken in Keras 3.15 on TensorFlow (it returns zeros), so nothing could equal it",
        "take `softmax`",
        {"activation": "sparsemax"},
    ),
)
"""Everything that is left out, in the order of docs/coverage.md."""


@record
class Written:
    """What a file writes in place of a name: `advice` says so in a message; `layer` is the entry that does it, or none
    where it is a statement."""

    advice: str
    layer: str | None = None


_INPUT = "an input is declared in a line of its own: `input x: float[784]`"
_WRITTEN = {
    ("layer", "Input"): Written(_INPUT),
    ("layer", "InputLayer"): Written(_INPUT),
    ("layer", "Pipeline"): Written("layers follow each other with `->`: `x -> Rescaling(1 / 255) -> CenterCrop(8, 8)`"),
    **{
        ("layer", name): Written(f"it is a layer: `(a, b) -> {name.capitalize()}()`", name.capitalize())
        for name in ("add", "average", "concatenate", "maximum", "minimum", "multiply", "subtract")
    },
    ("layer", "dot"): Written("it is a layer: `(a, b) -> Dot(axes=1)`", "Dot"),
    ("optimizer", "OptimizerMap"): Written(
        'it says which optimizer changes what: `MultiOptimizer(OptimizerMap(adam, [("encoder/.*", SGD(0.01))]))`'
    ),
    ("optimizer", "schedules"): Written(
        "a schedule is the learning rate: `adam(learning_rate=CosineDecay(0.001, 100))`"
    ),
}


@cache
def _index() -> dict[tuple[str, str], LeftOut]:
    found = {}
    for group in GROUPS:
        for category, names in group.names.items():
            for name in names.split():
                found[category, name] = group
                if category != "layer":  # options are written `sum` as well as `Sum`
                    found.setdefault((category, snake_case(name)), group)
    return found


def left_out(category: str, name: str) -> LeftOut | None:
    """The group of a name that is left out on purpose, or None."""
    return _index().get((category, name))


def written(category: str, name: str) -> Written | None:
    """What a file writes in place of a name, or None."""
    return _WRITTEN.get((category, name))
