"""`@record` does what a frozen dataclass with slots does, for what the two trees need of one."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

import pytest

from nndsl.records import record, replace


@record
class Base:
    span: int


@record
class Point(Base):
    """A point."""

    x: int
    y: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError(self.x)

    @property
    def double(self) -> int:
        return 2 * self.x


@dataclass(frozen=True, slots=True)
class Other:
    span: int
    x: int
    y: tuple[int, ...] = ()


def test_fields_defaults_and_matching():
    point = Point(1, 2)
    assert (point.span, point.x, point.y, point.double) == (1, 2, (), 4)
    assert Point(span=1, x=2, y=(3,)) == Point(1, 2, (3,))
    match point:
        case Point(span, x, y):
            assert (span, x, y) == (1, 2, ())
    assert Point.__match_args__ == ("span", "x", "y") and Point.__doc__ == "A point."
    assert not hasattr(point, "__dict__")


@pytest.mark.parametrize("arguments", [{}, {"span": 1}, {"span": 1, "x": 2, "z": 3}])
def test_wrong_arguments(arguments):
    with pytest.raises(TypeError):
        Point(**arguments)


def test_comparison_hash_and_repr_are_a_dataclass_s():
    one, same, other = Point(1, 2), Point(1, 2), Point(1, 3)
    assert one == same and hash(one) == hash(same) and one != other and one != Base(1) and one != (1, 2, ())
    assert repr(one) == repr(Other(1, 2)).replace("Other", "Point")
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 (our own object)


def test_nothing_can_be_changed():
    point = Point(1, 2)
    for change in (lambda: setattr(point, "x", 3), lambda: delattr(point, "x"), lambda: setattr(point, "z", 3)):
        with pytest.raises(AttributeError):
            change()
    assert replace(point, x=5) == Point(1, 5)
    with pytest.raises(TypeError):
        replace(point, z=1)
    with pytest.raises(ValueError):
        replace(point, x=-1)
