"""What makes numbers of words, and rows of equal length of lists."""

from __future__ import annotations

from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.transforms import Transform
from nndsl.layers.kinds import Choice, Float, Int, ListOf, Maybe, Text

PADDING, UNKNOWN = 0, 1
"""The ids of what is no word, and of a word that the vocabulary lacks, as Keras's."""


class TextTransform(Transform):
    """Base of the transforms that read words: one column of text."""

    reads = "text"
    keeps = False

    def check_row(self, row: tuple[int, ...] | None) -> None:
        """Raises ConfigError where it is not one column."""
        if row not in (None, (), (1,)):
            raise ConfigError(
                f"`{self.title()}` reads one column of text, and gets {' × '.join(map(str, row or ()))} columns",
                help="name the column: `table.review`, `table[3]`",
                code="NN0605",
            )


@entry("transform")
class Tokens(TextTransform):
    """Turns text into word ids, as Keras's TextVectorization does.

    Text is written small, punctuation is taken out, and what blanks separate is a word. The vocabulary is learnt from
    the training part alone, the most frequent word first, and saved with the model. Id 0 is padding, 1 a word that the
    vocabulary lacks, and the most frequent word is 2. Letters of all scripts are written small, where Keras knows A to
    Z alone.

    Example:
        review = table.review -> tokens(10000, length=200)
    """

    max_tokens = arg(
        Maybe(Int(3, 2**31 - 1)), "How many ids there are at most, 0 and 1 among them; `none` for all words.", None
    )
    length = arg(
        Maybe(Int(1, 1_000_000)),
        "How many ids a row has: longer texts lose their end, shorter ones get 0 behind. `none` for the length of the "
        "longest text of the training part.",
        None,
    )
    standardize = arg(
        Maybe(Choice("lower_and_strip_punctuation", "lower", "strip_punctuation")),
        "What is done to the text before; `none` leaves it as it is.",
        "lower_and_strip_punctuation",
    )
    split = arg(
        Choice("whitespace", "character"), "What a token is: a word between blanks, or a character.", "whitespace"
    )

    def shape(self, row: tuple[int, ...] | None) -> tuple[int, ...] | None:
        self.check_row(row)
        return None if self.length is None else (self.length,)


@entry("transform")
class Classes(TextTransform):
    """Turns the names of classes into class ids from 0 on, in the order of the names.

    The names are learnt from the training part alone, sorted (as numbers where they all are), saved with the model, and
    stand in reports; a name that only held-out data has is an error. `classes(["no", "yes"])` gives names and order.
    With two classes the ids suit a sigmoid output.

    Example:
        species = table.species -> classes()
    """

    names = arg(Maybe(ListOf(Text(), least=1)), "The names in the order of their ids; `none` to learn them.", None)

    def check(self) -> None:
        if self.names is not None and len(set(self.names)) < len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise ConfigError(f"`classes` names `{twice}` twice", "names", help="leave one out", code="NN0206")

    def shape(self, row: tuple[int, ...] | None) -> tuple[int, ...] | None:
        self.check_row(row)
        return ()


@entry("transform")
class Pad(Transform):
    """Brings rows to one length: lists of unequal length, or rows of fewer or more numbers.

    As Keras's `pad_sequences` does it: what fills up stands in front, and what is too much goes at the front, unless
    `padding` and `truncating` say otherwise. Lists of unequal length come from parquet; of rows with more axes it is
    the first that grows.

    Example:
        words = table.word_ids -> pad(200)
    """

    reads = "lists"
    keeps = False
    length = arg(Int(1, 1_000_000), "How long rows become.")
    value = arg(Float(), "What fills up shorter rows.", 0.0)
    padding = arg(Choice("pre", "post"), "Whether that stands before or behind a row's own numbers.", "pre")
    truncating = arg(
        Maybe(Choice("pre", "post")),
        "Whether a longer row loses its beginning or its end; `none` makes it an error.",
        "pre",
    )

    def shape(self, row: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if row is None:
            return None
        if not row:
            raise ConfigError(
                "`pad` makes lists longer, and gets one number a row",
                help="`reshape(1)` before it makes a list of the number",
                code="NN0605",
            )
        if row[0] > self.length and self.truncating is None:
            raise ConfigError(
                f"`pad({self.length}, truncating=none)` gets rows of {row[0]}, which are longer", "length",
                help=f"take `pad({row[0]})`, or leave `truncating=none` out", code="NN0605",
            )  # fmt: skip
        return (self.length, *row[1:])
