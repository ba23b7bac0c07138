"""What a catalogue entry is: a class whose attributes declare its arguments, in Keras's order and with Keras's
defaults, and that holds everything nndsl knows of one layer, loss, optimizer, ….

    @entry("layer")
    class Dense(Layer):
        \"\"\"Fully connected layer …\"\"\"
        units = arg(Int(1), "Size of the last axis of the output.")
        activation = arg(Activation(), "…", default=None)

An instance is one use in a file: its attributes are the checked values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast

from nndsl.source import Span

T = TypeVar("T")
E = TypeVar("E", bound="type[Entry]")


class Required:
    """The default of an argument that has none."""

    def __repr__(self) -> str:
        return "required"


REQUIRED = Required()


class ArgumentError(Exception):
    """A value that does not suit an argument. The message goes on after "`units` of `Dense` ": "must be …"; with
    `whole` it is a sentence of its own."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "NN0206",
        help: str | None = None,
        span: Span | None = None,
        instead: tuple[str, str] | None = None,
        label: str = "",
        whole: bool = False,
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.help, self.span, self.label = message, code, help, span, label
        self.instead = instead  # (title of a fix, new text of the argument's value)
        self.whole = whole
        self.more: tuple[ArgumentError, ...] = ()  # what is wrong with further items of a list

    def about(self, what: str) -> str:
        """The message, said of `what`: "`units` of `Dense`"."""
        return self.message if self.whole else f"{what} {self.message}"


class ConfigError(Exception):
    """Arguments that are fine one by one but not together (Keras's own rules). `arguments` are to be underlined."""

    def __init__(self, message: str, *arguments: str, help: str | None = None, code: str = "NN0215") -> None:
        super().__init__(message)
        self.message, self.arguments, self.help, self.code = message, arguments, help, code


class Binder(Protocol):
    """What a Kind may ask of the elaborator that holds the argument."""

    def entry(self, value: object, category: str) -> Entry:
        """A nested entry (an initializer, a layer …) from a name, string or call; raises ArgumentError.
        Problems inside a nested call are reported by the binder itself, at their own places."""
        ...


class Kind(Generic[T]):
    """A kind of argument: what values it takes."""

    def convert(self, value: object, bind: Binder) -> T:
        """The checked value; raises ArgumentError."""
        raise NotImplementedError

    def describe(self) -> str:
        """What the argument takes, in words, for messages and the manual: "a positive integer"."""
        raise NotImplementedError


class Arg:
    """The declaration of one argument. One that is `at_call` is what Keras takes where the layer is called, not where
    it is made: a shared layer may be given another value at each call."""

    __slots__ = ("at_call", "default", "doc", "formerly", "kind", "name")

    def __init__(
        self, kind: Kind[Any], doc: str, default: object, formerly: tuple[str, ...], at_call: bool = False
    ) -> None:
        self.name = ""
        self.kind, self.doc, self.default, self.formerly, self.at_call = kind, doc, default, formerly, at_call

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


def arg(
    kind: Kind[T], doc: str, default: object = REQUIRED, *, formerly: tuple[str, ...] = (), at_call: bool = False
) -> T:
    """Declares an argument. `default` is what the attribute holds where the file says nothing: a plain value, or for
    a nested entry its name. `formerly` are the names that Keras 1 and 2 gave it. `at_call` says that Keras takes it
    where the layer is called; such arguments come last. (Typed as the value that an instance has, which is what code
    in the entries sees.)"""
    return cast(T, Arg(kind, doc, default, formerly, at_call))


class Args:
    """Arguments that many entries have one after another: `shared = Args(clipnorm=arg(…), …)` in their classes."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments: dict[str, Arg] = arguments
        for name, argument in self.arguments.items():
            argument.name = name


class Entry:
    """Base of all catalogue entries."""

    category: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    formerly: ClassVar[tuple[str, ...]] = ()
    arguments: ClassVar[dict[str, Arg]] = {}

    given: Mapping[str, object]  # the arguments that the file gives, as checked values
    spans: Mapping[str, Span] = {}  # their places, where the entry comes from a call in a file
    doubtful: bool = False  # an argument was wrong (reported), and its default stands in

    def __init_subclass__(cls) -> None:
        own = {}
        for base in reversed(cls.__mro__[1:]):
            own.update(base.__dict__.get("arguments", {}))
        for name, value in list(cls.__dict__.items()):
            if isinstance(value, Arg):
                value.name = name
                own[name] = value
                delattr(cls, name)
            elif isinstance(value, Args):
                own.update(value.arguments)
                delattr(cls, name)
        cls.arguments = own

    def __init__(self, given: Mapping[str, object], resolve: Callable[[Arg], object]) -> None:
        """`given` are checked values; `resolve` gives the value of a default (a nested entry for its name)."""
        self.given = given
        for name, argument in self.arguments.items():
            setattr(self, name, given[name] if name in given else resolve(argument))

    def check(self) -> None:
        """Keras's own rules between arguments; raises ConfigError."""

    @classmethod
    def title(cls) -> str:
        return cls.__name__

    @classmethod
    def advice(cls, argument: str) -> str | None:
        """What to say to someone who gives an argument that the entry does not have, where there is more to say than
        which ones it has."""
        return None

    @classmethod
    def documentation(cls) -> str:
        import inspect  # 5 ms that no start needs

        return inspect.cleandoc(cls.__doc__ or "")


def entry(category: str, *aliases: str, formerly: tuple[str, ...] = ()) -> Callable[[E], E]:
    """Puts a class into the catalogue under its name, its name in snake case (a layer under the one, a function under
    the other), and `aliases`, which are all further names that Keras 3 gives it; `formerly` are those that only Keras 1
    or 2 had. The catalogue's index reads this line as text (so that nothing is imported that is not used): write
    literals only."""

    def register(cls: E) -> E:
        cls.category, cls.aliases, cls.formerly = category, aliases, formerly
        return cls

    return register


_FIRST = re.compile(r"(.)([A-Z][a-z][a-z0-9]*)|(\d)([A-Z]\d)")
_SECOND = re.compile(r"([a-z])([A-Z])")


def snake_case(name: str) -> str:
    """`MaxPooling2D` → `max_pooling2d`: Keras's rule for layer names, and `L1L2` → `l1_l2`."""
    return _SECOND.sub(r"\1_\2", _FIRST.sub(r"\1\3_\2\4", name)).lower()
