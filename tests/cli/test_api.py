"""`import nndsl`: check, compile, load."""

from __future__ import annotations

import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

import nndsl

TEXT = "model Small {\n    input x: float[4]\n    output y = x -> Dense(2) with loss=mse\n}\n"


def test_the_import_is_light():
    code = "import sys, nndsl; print(nndsl.__version__, sorted(m for m in sys.modules if m.startswith('nndsl')))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout == f"{nndsl.__version__} ['nndsl', 'nndsl._version']\n"
    assert {"check", "compile", "load", "CompileError"} <= set(dir(nndsl))
    with pytest.raises(AttributeError, match="'chek'"):
        nndsl.chek  # noqa: B018


def test_check_takes_a_text_or_a_file(tmp_path):
    file = tmp_path / "small.nn"
    file.write_text(TEXT)
    for source in (TEXT, file, str(file)):
        assert nndsl.check(source).main.name == "Small"


def test_an_error_carries_its_diagnostics_and_reads_well():
    with pytest.raises(nndsl.CompileError) as caught:
        nndsl.check(TEXT.replace("Dense(2)", "Dens(2) -> Dense(unit=3)"))
    assert [item.code for item in caught.value.diagnostics] == ["NN0202", "NN0203"]
    assert "error[NN0202]: there is no layer called `Dens`" in str(caught.value) and "<string>:3:21" in str(
        caught.value
    )
    with pytest.raises(nndsl.CompileError, match="there is no file"):
        nndsl.check(Path("nowhere.nn"))


def test_compile(tmp_path):
    program = nndsl.check(TEXT)
    assert nndsl.compile(TEXT) == nndsl.compile(program) == nndsl.compile(program, "torch", "Small")
    assert "tensorflow" in nndsl.compile(program, "keras")
    with pytest.raises(ValueError, match="the targets are keras, torch"):
        nndsl.compile(program, "jax")
    with pytest.raises(ValueError, match="no model 'Big' in <string>: there is Small"):
        nndsl.compile(program, "torch", "Big")


@pytest.mark.torch
def test_load_gives_the_class_of_the_emitted_program(example):
    torch = pytest.importorskip("torch")
    Functional = nndsl.load(example("functional"))
    model = Functional()
    assert issubclass(Functional, torch.nn.Module) and Functional.__name__ == "Functional"
    assert sum(parameter.numel() for parameter in model.parameters()) == 3466
    assert model(torch.zeros(2, 64))["label"].shape == (2, 10)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 (our own object)
    assert torch.equal(again(torch.ones(1, 64))["label"], model(torch.ones(1, 64))["label"])


@pytest.mark.torch
def test_tracebacks_show_the_emitted_lines():
    torch = pytest.importorskip("torch")
    import inspect

    Small = nndsl.load(TEXT)
    assert "class Small(nn.Module)" in inspect.getsource(Small)
    try:
        Small()(torch.zeros(2, 3))
    except Exception:
        shown = traceback.format_exc()
    assert "nndsl_loaded_" in shown and "self.y(x)" in shown
    assert nndsl.load(TEXT) is not Small
