"""`@record` and `@mutable`: what dataclasses give, at a fraction of their cost when a module is imported.

The compiler has some hundred and fifty classes of data, and every start pays for each of them; `dataclasses` itself
imports `inspect`, which takes as long as checking a small file. Here comparison, hash and repr are shared by all
classes, and a class gets its `__init__` when the first instance is made: most starts use a part of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


class _Fresh:
    """The default of a field whose value is made anew for each instance."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def fresh(*, default_factory: Callable[[], T]) -> T:
    """The declaration of a field of a mutable class that begins as what `default_factory` makes. (Typed as the value
    that an instance has.)"""
    made: Any = _Fresh(default_factory)
    return made  # type: ignore[no-any-return]


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """What `@dataclass(frozen=True, slots=True)` makes: the class with slots for its annotated fields, after those of
    its bases; values set in the class are defaults.

    Instances are immutable, equal where their class and all fields are, and match by position. A `__post_init__` is
    called; default factories and class variables there are none.
    """
    return _made(cls, _RECORD, store="_set_{0}(self, {1})")


@dataclass_transform(eq_default=False, field_specifiers=(fresh,))
def mutable(cls: type[T]) -> type[T]:
    """What `@dataclass(eq=False, slots=True)` makes: as `record`, but instances can be changed, equal only themselves,
    and a default may be `fresh`."""
    return _made(cls, _MUTABLE, store="self.{0} = {1}")


def replace(value: T, /, **changes: Any) -> T:
    """The record, or what is `mutable`, with some fields changed; TypeError for a name that is no field."""
    given: Any = value
    return type(value)(**({name: getattr(given, name) for name in given.__match_args__} | changes))


def _made(cls: type[T], shared: dict[str, Any], store: str) -> type[T]:
    own = {name: value for name, value in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    names = tuple(own.get("__annotations__", ()))
    base_fields: tuple[str, ...] = getattr(cls, "__match_args__", ())
    fields = (*base_fields, *(name for name in names if name not in base_fields))
    defaults = dict(getattr(cls, "_defaults", {}))
    defaults.update({name: own.pop(name) for name in names if name in own})
    own = shared | own
    own |= {"__slots__": names, "__match_args__": fields, "_defaults": defaults}
    if len(fields) > 1:
        own["_values"] = attrgetter(*fields)
    metaclass: Any = type(cls)
    made: Any = metaclass(cls.__name__, cls.__bases__, own)

    def first(self: Any, *args: Any, **named: Any) -> None:
        made.__init__ = _initializer(made, fields, defaults, store)
        made.__init__(self, *args, **named)

    made.__init__ = first
    result: type[T] = made
    return result


def _initializer(cls: type, fields: tuple[str, ...], defaults: dict[str, Any], store: str) -> Any:
    """`def __init__(self, a, b=…)`. A record stores through the slots' own descriptors. The names come from the class
    body, never from a user."""
    scope: dict[str, Any] = {}
    parameters, body = ["self"], []
    for name in fields:
        scope[f"_set_{name}"] = getattr(cls, name).__set__
        value = name
        if name in defaults:
            default = defaults[name]
            if isinstance(default, _Fresh):
                scope[f"_make_{name}"] = default.make
                value = f"_make_{name}() if {name} is _default_{name} else {name}"
            scope[f"_default_{name}"] = default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        body.append(store.format(name, value))
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    text = f"def __init__({', '.join(parameters)}):\n " + "\n ".join(body or ["pass"])
    exec(compile(text, f"<record {cls.__name__}>", "exec"), scope)  # noqa: S102
    return scope["__init__"]


def _values(self: Any) -> Any:
    """All fields; of a class with more than one its own `attrgetter` stands in the place of this."""
    return tuple(getattr(self, name) for name in self.__match_args__)


def _eq(self: Any, other: object) -> Any:
    if self is other:
        return True
    values = self.__class__._values
    if other.__class__ is not self.__class__:
        return NotImplemented
    return values(self) == values(other)


def _hash(self: Any) -> int:
    return hash(self.__class__._values(self))


def _shown(self: Any) -> Iterator[str]:
    return (f"{name}={getattr(self, name)!r}" for name in self.__match_args__)


def _repr(self: Any) -> str:
    return f"{self.__class__.__qualname__}({', '.join(_shown(self))})"


def _frozen(self: Any, name: str, *_: object) -> NoReturn:
    raise AttributeError(f"{self.__class__.__name__} is immutable: `{name}` cannot be changed")


def _reduce(self: Any) -> tuple[type, tuple[Any, ...]]:
    return self.__class__, tuple(getattr(self, name) for name in self.__match_args__)


_MUTABLE = {"_values": _values}
_RECORD = {
    "_values": _values,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _frozen,
    "__delattr__": _frozen,
    "__reduce__": _reduce,
}
