"""`@record` and `@mutable` do what dataclasses with slots do, for what the compiler needs of one."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass

import pytest

from nndsl.records import fresh, mutable, record, replace


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


@record
class Alone:
    x: object


@mutable
class Bag:
    """A bag."""

    name: str
    items: list[int] = fresh(default_factory=list)
    size: int | None = None


@mutable
class Sack(Bag):
    color: str = "brown"
    more: dict[str, int] = fresh(default_factory=dict)


def test_a_record_of_one_field_equals_by_it():
    assert Alone((1, 2)) == Alone((1, 2)) and hash(Alone(3)) == hash(Alone(3))
    assert Alone(3) != Alone(4) and Alone(3) != 3


def test_mutable_classes_change_and_equal_only_themselves():
    one, same = Sack("a"), Sack("a")
    assert one != same and len({one, same}) == 2 and one == one
    one.name, one.size = "b", 2
    assert (one.name, one.items, one.size, one.color, one.more) == ("b", [], 2, "brown", {})
    with pytest.raises(AttributeError):
        one.colour = "red"
    assert Sack.__match_args__ == ("name", "items", "size", "color", "more")


def test_a_fresh_default_is_made_for_each_instance():
    one, other, given = Sack("a"), Sack("b"), [7]
    one.items.append(1)
    one.more["x"] = 1
    assert other.items == [] and other.more == {}
    assert Bag("c", given).items is given and Bag("c", items=given, size=None).items is given
    assert replace(one, name="z").items is one.items and copy.copy(one).more is one.more


@pytest.mark.parametrize("arguments", [{}, {"name": 1, "z": 2}])
def test_wrong_arguments_of_a_mutable_class(arguments):
    for _ in range(2):  # the first call is the one that makes `__init__`
        with pytest.raises(TypeError):
            Sack(**arguments)
