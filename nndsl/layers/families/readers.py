"""The readers of `source NAME = reader(…)`, described; `runtime/sources.py` opens the data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from nndsl.layers.entry import Entry, arg, entry, snake_case
from nndsl.layers.file_names import Delimiter, FileName
from nndsl.layers.kinds import Bool, Choice, Float, Int, Maybe
from nndsl.records import record


@record
class Field:
    """What a source has under one name. `shape` is that of one row, None where only the data can say."""

    shape: tuple[int, ...] | None = None


class Reader(Entry):
    """Base of the readers.

    `own_test` says that the source brings its own test part, `has_columns` that it is a table (`table[0:8]`),
    `is_array` that it is one array, which has no names of columns, `of_model` that its fields are the names of the
    model's inputs and outputs, `has_text` that it may hold words, `has_lists` that a cell may hold a list.
    """

    own_test: ClassVar[bool] = False
    has_columns: ClassVar[bool] = False
    is_array: ClassVar[bool] = False
    of_model: ClassVar[bool] = False
    has_text: ClassVar[bool] = False
    has_lists: ClassVar[bool] = False

    @classmethod
    def title(cls) -> str:
        return snake_case(cls.__name__)

    def fields(self) -> Mapping[str, Field] | None:
        """The fields by name, or None where only the file can say."""
        return None


@entry("reader")
class Csv(Reader):
    """A table of numbers as text, one row a line.

    Columns are taken by number from 0 (`table[8]`, `table[0:8]`, `table[-1]`, `table[[0, 3]]`) or, with a header, by
    name (`table.age`, `table["blood pressure"]`). They hold numbers, or, for `tokens` and `classes`, words.

    Example:
        source table = csv("houses.csv") with test=0.2, seed=7
    """

    has_columns = True
    has_text = True
    file = arg(FileName(), "The file, in the folder of the `.nn` file.")
    header = arg(Bool(), "Whether the first line holds the names of the columns.", True)
    delimiter = arg(Delimiter(), "The character between two cells.", ",")


@entry("reader")
class Npz(Reader):
    """NumPy's archive of arrays: `np.savez("points.npz", x=x, y=y)` gives the fields `x` and `y`.

    Example:
        source points = npz("points.npz") with test=0.1
    """

    file = arg(FileName(), "The file, in the folder of the `.nn` file.")


@entry("reader")
class Mnist(Reader):
    """70,000 handwritten digits of 28x28 pixels from 0 to 255, with the official test part of 10,000.

    The file is Keras's, https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz, or the folder of the
    four IDX files (`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-…`), as they are or packed (.gz): of
    MNIST, or of a set of the same form such as Fashion-MNIST.

    Example:
        source digits = mnist("mnist.npz") with validation=0.1
    """

    own_test = True
    file = arg(FileName(), "The file, or the folder of the IDX files, in the folder of the `.nn` file.", "mnist.npz")

    def fields(self) -> Mapping[str, Field]:
        return {"image": Field((28, 28)), "label": Field(())}


@entry("reader")
class Digits(Reader):
    """1,797 handwritten digits of 8x8 pixels from 0 to 16: built in, from scikit-learn.

    Example:
        source scans = digits() with test=0.2, seed=7
    """

    def fields(self) -> Mapping[str, Field]:
        return {"image": Field((8, 8)), "label": Field(())}


@entry("reader")
class Iris(Reader):
    """Fisher's 150 flowers of three species, four lengths each: built in, from scikit-learn.

    Example:
        source flowers = iris() with test=0.2, seed=7
    """

    def fields(self) -> Mapping[str, Field]:
        return {"features": Field((4,)), "label": Field(())}


@entry("reader")
class BreastCancer(Reader):
    """569 tumours with 30 measures each, 0 malignant and 1 benign: built in, from scikit-learn.

    Example:
        source tumours = breast_cancer() with test=0.2, seed=7
    """

    def fields(self) -> Mapping[str, Field]:
        return {"features": Field((30,)), "label": Field(())}


WAVES = ("sin", "cos", "triangle", "square", "sawtooth")


@entry("reader")
class Function(Reader):
    """A made series: two waves side by side, one to be predicted from the other.

    Each row holds as many steps as the input it fills. Row j of a batch goes on where row j of the batch before it
    ended, so that a stateful layer sees one long series in each row. Without `samples` there are as many rows as
    `steps` of the `train` section needs, or 100 batches.

    Example:
        source series = function("cos", of="sin")
    """

    values = arg(Choice(*WAVES), "The wave to be predicted, and the field that holds it.")
    of = arg(Choice(*WAVES), "The wave it is predicted from, and the field that holds it.")
    samples = arg(Maybe(Int(1, 10_000_000)), "How many rows are made.", None)
    step = arg(Float(0, above=True), "The time from one step to the next; a wave repeats after 2π.", 0.1 / math.pi)

    def fields(self) -> Mapping[str, Field]:
        return {self.of: Field(), self.values: Field()}


@entry("reader")
class Random(Reader):
    """Seeded random arrays of the declared shapes, as the lessons use them: nothing can be learnt from them.

    The fields are the names of the model's inputs and outputs. Free dimensions get a small size that the model admits.

    Example:
        source noise = random(samples=1000) with seed=7
    """

    of_model = True
    samples = arg(Int(1, 10_000_000), "How many rows are made.", 1000)
