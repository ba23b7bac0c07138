"""Runs `nndsl verify` on a text, with or without a fault in what is emitted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nndsl import api
from nndsl.interop import verify
from nndsl.interop.verify_compare import Row
from nndsl.passes.definitions import no_reader
from nndsl.records import replace
from nndsl.targets.torch import TorchUnit

Fault = Callable[[TorchUnit], TorchUnit]


def run(text: str, steps: int = 5, floats: tuple[str, ...] = ("float64",), inline: bool = False) -> dict[str, Row]:
    """The rows by check, "gradients" or (where several types were asked for) "gradients float64"."""
    program = api.check(text)
    report = verify.verify(program, no_reader, {}, verify.Options(floats, steps, inline=inline))
    return {row.check if len(floats) == 1 else f"{row.check} {row.dtype}": row for row in report.rows}


def assert_holds(rows: dict[str, Row]) -> None:
    for name, row in rows.items():
        assert row.status == "ok", (name, row.note, row.failures[:3])
        assert row.differences, f"{name} compared nothing"


def plant(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    emit = verify.emit

    def faulty(program: object, model: str | None, inline: bool) -> tuple[TorchUnit, str]:
        unit, keras = emit(program, model, inline)  # type: ignore[arg-type]
        changed = fault(unit)
        assert changed != unit, "the fault is not in the program"
        return changed, keras

    monkeypatch.setattr(verify, "emit", faulty)


def written(old: str, new: str) -> Fault:
    """A fault in the text of the torch program."""

    def fault(unit: TorchUnit) -> TorchUnit:
        assert old in unit.text, f"{old!r} is not in\n{unit.text}"
        return replace(unit, text=unit.text.replace(old, new))

    return fault


def stepped(path: str, *steps: object) -> Fault:
    """A fault in how the tensors of a weight come from Keras's layout."""

    def fault(unit: TorchUnit) -> TorchUnit:
        state = tuple(replace(e, steps=steps) if e.path == path else e for e in unit.state)  # type: ignore[arg-type]
        return replace(unit, state=state)

    return fault
