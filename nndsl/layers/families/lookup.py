"""Vocabularies: IntegerLookup."""

from __future__ import annotations

from collections import Counter

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.emit import TorchCall
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.families.encoding import SPARSE, Encoder, need_ids, no_sparse
from nndsl.layers.kinds import Bool, Choice, Either, Float, Int, ListOf, Maybe
from nndsl.layers.shapes import Check

_INT64 = Int(-(2**63), 2**63 - 1)


@entry("layer")
class IntegerLookup(Encoder):
    """Gives integers their places in a vocabulary, or with `invert` the integers at places.

    Of `vocabulary=[12, 36]`, 12 has place 1 and 36 place 2; all others have place 0, or one of `num_oov_indices` places
    by their remainder. With 0 of those an integer that is not in the vocabulary is an error when the program runs. A
    `mask_token` comes first, at place 0. The other output modes are those of `CategoryEncoding`, without the masked;
    `tf_idf` counts, and multiplies each count by its `idf_weights`. Gives int64, rows as floats.

    Example:
        ids -> IntegerLookup(vocabulary=[12, 36, 1138]) -> Embedding(4, 8)
    """

    max_tokens = arg(Maybe(Int(2)), "The most places there may be.", None)
    num_oov_indices = arg(Int(0, 100_000), "How many places there are for integers that are not in the vocabulary.", 1)
    mask_token = arg(Maybe(_INT64), "An integer that stands for nothing.", None)
    oov_token = arg(_INT64, "With `invert`: what a place outside of the vocabulary gives.", -1)
    vocabulary = arg(Maybe(ListOf(_INT64, least=1)), "The integers, in the order of their places.", None)
    vocabulary_dtype = arg(Choice("int64"), "The dtype of the vocabulary.", "int64")
    idf_weights = arg(Maybe(ListOf(Float(), least=1)), "With `tf_idf`: a factor for each of the vocabulary.", None)
    invert = arg(Bool(), "Whether places become integers.", False)
    output_mode = arg(Choice("int", "one_hot", "multi_hot", "count", "tf_idf"), "What comes out.", "int")
    sparse = arg(Bool(), SPARSE, False)
    pad_to_max_tokens = arg(Bool(), "Whether rows have `max_tokens` places, whatever the vocabulary.", False)
    oov_method = arg(
        Choice("floormod", "farmhash"), "How several places for unknown integers are used: by remainder.", "floormod"
    )
    salt = arg(Maybe(Either(Int(), ListOf(Int(), length=2))), "Must be none: it is for `farmhash`.", None)

    def check(self) -> None:
        no_sparse(self, self.sparse)
        if self.oov_method != "floormod" or self.salt is not None:
            raise ConfigError(
                "`farmhash` hashes integers as text, which PyTorch has nothing for",
                "oov_method" if self.oov_method != "floormod" else "salt",
                help="leave `oov_method` and `salt` out: the remainder says which place an unknown integer gets",
                code="NN0218",
            )
        if self.vocabulary is None:
            raise ConfigError(
                "`IntegerLookup` needs a vocabulary: there is no data to find one in when a network is made",
                help="write `IntegerLookup(vocabulary=[12, 36, 1138])`",
                code="NN0204",
            )
        if self.invert and self.output_mode != "int":
            raise ConfigError(
                "`invert` gives integers: `output_mode` is `int`",
                "output_mode",
                "invert",
                help="leave `output_mode` out; `CategoryEncoding` behind this layer makes rows of integers",
            )
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ConfigError(
                "`pad_to_max_tokens` needs `max_tokens`",
                "pad_to_max_tokens",
                help=f"say how many places there are: `max_tokens={max(self.size, 2)}`",
            )
        self._check_vocabulary()
        self._check_weights()

    def _check_vocabulary(self) -> None:
        tokens = self.tokens
        twice = [token for token, count in Counter(tokens).items() if count > 1]
        if twice:
            raise ConfigError(
                f"the vocabulary has {twice[0]} more than once",
                "vocabulary",
                help="an integer has one place: leave the others out",
                code="NN0206",
            )
        special = {"mask_token": self.mask_token, "oov_token": self.oov_token if self.invert else None}
        for name, token in special.items():
            if token is not None and token in tokens:
                front = ", ".join(map(str, self.front))
                raise ConfigError(
                    f"the vocabulary holds {token}, which is `{name}`",
                    "vocabulary",
                    name,
                    help=f"leave it out of the vocabulary, or begin with all that is special: `[{front}, …]`",
                )
        if self.max_tokens is not None and self.first + len(tokens) > self.max_tokens:
            raise ConfigError(
                f"there are {self.first + len(tokens)} places, and `max_tokens` is {self.max_tokens}",
                "max_tokens",
                "vocabulary",
                help=f"write `max_tokens={self.first + len(tokens)}`, or leave it out",
            )

    def _check_weights(self) -> None:
        if (self.idf_weights is not None) != (self.output_mode == "tf_idf"):
            raise ConfigError(
                "`idf_weights` and `output_mode=tf_idf` belong together",
                "output_mode" if self.idf_weights is None else "idf_weights",
                help="give a factor for each of the vocabulary: `idf_weights=[0.25, 0.75]`"
                if self.idf_weights is None
                else "write `output_mode=tf_idf`, or leave `idf_weights` out",
            )
        if self.idf_weights is not None and len(self.idf_weights) != len(self.vocabulary or ()):
            raise ConfigError(
                f"`idf_weights` has {len(self.idf_weights)} numbers, and the vocabulary {len(self.vocabulary or ())}",
                "idf_weights",
                "vocabulary",
                help="give a number for each integer of the vocabulary",
            )

    @property
    def front(self) -> list[int]:
        """What stands before the vocabulary: the mask, where it has a place, and what is unknown."""
        masks = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" else []
        return [*masks, *[self.oov_token] * self.num_oov_indices]

    @property
    def first(self) -> int:
        """The place of the first of the vocabulary."""
        return len(self.front)

    @property
    def tokens(self) -> list[int]:
        """The vocabulary without special tokens, which it may begin with."""
        given = list(self.vocabulary or ())
        return given[self.first :] if given[: self.first] == self.front else given

    @property
    def size(self) -> int:
        """The length of a row."""
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return self.max_tokens
        return self.first + len(self.tokens)

    @property
    def factors(self) -> list[float]:
        """A factor for each place of a row: unknown integers have the mean of the others."""
        given = list(self.idf_weights or ())
        before = [sum(given) / len(given)] * self.first if len(given) == len(self.tokens) else []
        return [*before, *given, *[0.0] * (self.size - len(before) - len(given))]

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_ids(x, self.title())
        if self.output_mode == "int":
            return TensorType(x.shape, "int64", batched=x.batched)
        return self.encoded(check, x, self.size)

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        if self.invert:
            places = [self.oov_token, *self.front, *self.tokens, self.oov_token]
            table = t.buffer("tokens", code.call("torch.tensor", places))
            place = code.binary("+", code.method(x, "long"), 1)
            return code.index(table, code.method(place, "clamp", 0, len(places) - 1))
        options: dict[str, object] = {}
        if self.first != 1:
            options["first"] = self.first
        if self.num_oov_indices != 1:
            options["unknown"] = self.num_oov_indices
        if self.mask_token is not None:
            options["mask"] = self.mask_token
            if self.output_mode != "int":
                options["masked"] = -1
        ids: code.Expr = code.call(t.module(code.call(t.helper("IntegerLookup"), self.tokens, **options)), x)
        if self.output_mode == "int":
            return ids
        ids = t.step(ids, "ids")
        if self.output_mode != "tf_idf":
            return self.encode(t, ids, self.size)
        exact = {} if t.float_dtype == "float32" else {"dtype": code.dotted(f"torch.{t.float_dtype}")}
        return self.encode(t, ids, self.size, factors=t.buffer("idf", code.call("torch.tensor", self.factors, **exact)))

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        found = k.call(self, x)
        # Keras says that rows are floats, and gives integers.
        return (
            found if self.output_mode in ("int", "tf_idf") else code.call("keras.ops.cast", found, k.results[0].dtype)
        )
