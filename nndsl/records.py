"""`@record`: what `@dataclass(frozen=True, slots=True)` gives, at a third of its cost when a module is imported.

The syntax tree and the code tree have some sixty classes, and every start of the compiler pays for each of them. Here
a class costs one small function; comparison, hash and repr are shared by all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """The class with slots for its annotated fields, after those of its bases; values set in the class are defaults.

    Instances are immutable, equal where their class and all fields are, and match by position. A `__post_init__` is
    called; default factories and class variables there are none.
    """
    own = {name: value for name, value in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    names = tuple(own.get("__annotations__", ()))
    base_fields: tuple[str, ...] = getattr(cls, "__match_args__", ())
    fields = (*base_fields, *(name for name in names if name not in base_fields))
    defaults = dict(getattr(cls, "_defaults", {}))
    defaults.update({name: own.pop(name) for name in names if name in own})
    own |= _SHARED
    own |= {"__slots__": names, "__match_args__": fields, "_defaults": defaults}
    metaclass: Any = type(cls)
    made: Any = metaclass(cls.__name__, cls.__bases__, own)
    made.__init__ = _initializer(made, fields, defaults)
    result: type[T] = made
    return result


def replace(value: T, **changes: Any) -> T:
    """The record with some fields changed; TypeError for a name that is no field."""
    given: Any = value
    return type(value)(**({name: getattr(given, name) for name in given.__match_args__} | changes))


def _initializer(cls: type, fields: tuple[str, ...], defaults: dict[str, Any]) -> Any:
    """`def __init__(self, a, b=…)`, which stores through the slots' own descriptors. The names come from the class
    body, never from a user."""
    scope: dict[str, Any] = {}
    parameters, body = ["self"], []
    for name in fields:
        scope[f"_set_{name}"] = getattr(cls, name).__set__
        body.append(f"_set_{name}(self, {name})")
        if name in defaults:
            scope[f"_default_{name}"] = defaults[name]
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    text = f"def __init__({', '.join(parameters)}):\n " + "\n ".join(body or ["pass"])
    exec(compile(text, f"<record {cls.__name__}>", "exec"), scope)  # noqa: S102
    return scope["__init__"]


def _values(self: Any) -> Iterator[Any]:
    return (getattr(self, name) for name in self.__match_args__)


def _eq(self: Any, other: object) -> Any:
    if self is other:
        return True
    if other.__class__ is not self.__class__:
        return NotImplemented
    return all(one == two for one, two in zip(_values(self), _values(other), strict=True))


def _hash(self: Any) -> int:
    return hash(tuple(_values(self)))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{self.__class__.__qualname__}({shown})"


def _frozen(self: Any, name: str, *_: object) -> NoReturn:
    raise AttributeError(f"{self.__class__.__name__} is immutable: `{name}` cannot be changed")


def _reduce(self: Any) -> tuple[type, tuple[Any, ...]]:
    return self.__class__, tuple(_values(self))


_SHARED = {
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _frozen,
    "__delattr__": _frozen,
    "__reduce__": _reduce,
}
