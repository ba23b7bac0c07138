"""Files that cannot be used: one message with the whole list, exit code 1, nothing written."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.cli.main import main

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

TEXT = """model M {
    input x: float[5, 4]
    output y = x -> LSTM(3) -> Dense(2) with loss=mse
    train { optimizer = Adam(0.01); epochs = 1 }
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model, and what its program saves after a step."""
    monkeypatch.chdir(tmp_path)
    Path("m.nn").write_text(TEXT, encoding="utf-8")
    _save("good.pt")
    return tmp_path


def _program() -> Any:
    from nndsl import pipeline
    from nndsl.diagnostics.model import Problems
    from nndsl.interop.load import load_program
    from nndsl.source import SourceFile

    program = pipeline.check(SourceFile("m.nn", TEXT), Problems())
    assert program is not None
    return load_program(program)


def _save(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    loaded = _program()
    torch.manual_seed(0)
    net = loaded.cls()
    optimizer = loaded.module.make_optimizer(net)
    batch = {"x": torch.rand(4, 5, 4), "y": torch.rand(4, 2)}
    loaded.module.measure(net, batch)["loss"].backward()
    optimizer.step()
    torch.save((net.state_dict(), optimizer.state_dict()), path)
    return net.state_dict(), optimizer.state_dict()


def _without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda state: {key: value for key, value in state.items() if key != name}


class _Evil:
    def __reduce__(self) -> Any:
        return (print, ("run",))


def _weights(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    weights, state = _save("bad.pt")
    torch.save((change(weights), state), "bad.pt")


def _several(weights: dict[str, Any]) -> dict[str, Any]:
    return _without("y.bias")(weights) | {"y.weight": torch.zeros(3, 2), "z": weights["y.bias"]}


def _state(change: Callable[[dict[str, Any]], None]) -> None:
    weights, state = _save("bad.pt")
    change(state)
    torch.save((weights, state), "bad.pt")


def _claims(count: int) -> None:
    """A tensor of many numbers that are all the same one in the file."""
    weights, _ = _save("bad.pt")
    torch.save(weights | {"y.weight": torch.zeros(1).expand(count, 3)}, "bad.pt")


def _deflated() -> None:
    """The same archive, packed."""
    with zipfile.ZipFile("good.pt") as source, zipfile.ZipFile("bad.pt", "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))


def _truncated() -> None:
    data = Path("good.pt").read_bytes()
    Path("bad.pt").write_bytes(data[: len(data) // 2])


def _old_pickle() -> None:
    torch.save(torch.load("good.pt", weights_only=True), "bad.pt", _use_new_zipfile_serialization=False)


def _raw_pickle() -> None:
    Path("bad.pt").write_bytes(pickle.dumps(_Evil()))


def _new_shape(state: dict[str, Any]) -> None:
    state["state"][0]["exp_avg"] = torch.zeros(7)


def _other_slots(state: dict[str, Any]) -> None:
    for parts in state["state"].values():
        parts["square"] = parts.pop("exp_avg_sq")


def _no_rate(state: dict[str, Any]) -> None:
    state["param_groups"][0]["lr"] = "fast"


def _fewer(state: dict[str, Any]) -> None:
    state["param_groups"][0]["params"].pop()


BAD_TORCH: dict[str, tuple[str, Callable[[], object]]] = {
    "missing": ("NN1002", lambda: _weights(_without("y.bias"))),
    "extra": ("NN1002", lambda: _weights(lambda w: w | {"z.bias": torch.zeros(3)})),
    "shape": ("NN1002", lambda: _weights(lambda w: w | {"y.weight": torch.zeros(3, 2)})),
    "type": ("NN1002", lambda: _weights(lambda w: w | {"y.weight": torch.zeros(2, 3, dtype=torch.int32)})),
    "all": ("NN1002", lambda: _weights(_several)),
    "another_model": ("NN1002", lambda: torch.save({"dense.weight": torch.zeros(2, 2)}, "bad.pt")),
    "second_bias": ("NN1002", lambda: _weights(lambda w: {k: torch.ones_like(v) for k, v in w.items()})),
    "a_program": ("NN1003", lambda: torch.save({"y.weight": _Evil()}, "bad.pt")),
    "a_whole_model": ("NN1003", lambda: torch.save(torch.nn.Linear(2, 2), "bad.pt")),
    "claims": ("NN1003", lambda: _claims(10**9)),
    "deflated": ("NN1003", _deflated),
    "truncated": ("NN1001", _truncated),
    "old_pickle": ("NN1001", _old_pickle),
    "raw_pickle": ("NN1001", _raw_pickle),
    "empty": ("NN1001", lambda: Path("bad.pt").touch()),
    "a_list": ("NN1001", lambda: torch.save([torch.zeros(2)], "bad.pt")),
    "mixed": ("NN1001", lambda: torch.save({"y.weight": torch.zeros(2), "epoch": 3}, "bad.pt")),
    "sparse": ("NN1001", lambda: _weights(lambda w: w | {"y.weight": torch.zeros(2, 3).to_sparse()})),
    "second_part": ("NN1001", lambda: torch.save((_save("bad.pt")[0], {"lr": 1}), "bad.pt")),
    "state_shape": ("NN1004", lambda: _state(_new_shape)),
    "state_slots": ("NN1004", lambda: _state(_other_slots)),
    "state_rate": ("NN1004", lambda: _state(_no_rate)),
    "state_fewer": ("NN1004", lambda: _state(_fewer)),
}


@pytest.mark.parametrize("name", BAD_TORCH)
def test_of_torch(name: str, folder: Path, golden: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, make = BAD_TORCH[name]
    make()
    assert main(["weights", "convert", "m.nn", "bad.pt", "out.safetensors"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err and err.count("error[") == 1 and f"error[{code}]" in err
    assert not Path("out.safetensors").exists()
    golden(f"golden/torch_{name}.txt", err)


def test_a_state_that_does_not_fit_can_be_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _state(_other_slots)
    assert main(["weights", "convert", "m.nn", "bad.pt", "out.safetensors", "--weights-only"]) == 0
    assert "state" not in capsys.readouterr().out
    assert main(["weights", "diff", "bad.pt", "out.safetensors", "--for", "m.nn", "--weights-only"]) == 0


def test_a_file_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("none.pt", "none.safetensors"):
        assert main(["weights", "show", name]) == 1
        assert f"error[NN0701]: there is no file {name}" in capsys.readouterr().err
    Path("a.pt").mkdir()
    assert main(["weights", "show", "a.pt"]) == 1
    assert "is a folder" in capsys.readouterr().err


def _header(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


BAD_SAFETENSORS: dict[str, tuple[str, bytes]] = {
    "foreign": ("NN1001", _header('{"y.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}') + b"\0" * 4),
    "empty": ("NN1001", b""),
    "huge_header": ("NN1001", struct.pack("<Q", 2**60) + b"{}"),
    "beyond": ("NN1001", _header('{"y":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}')),
    "version": ("NN1001", _header('{"__metadata__":{"nndsl":"{\\"version\\": 9}"}}')),
    "no_json": ("NN1001", _header('{"__metadata__":{"nndsl":"' + "[" * 9999 + '"}}')),
}


@pytest.mark.parametrize("name", BAD_SAFETENSORS)
def test_of_safetensors(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, data = BAD_SAFETENSORS[name]
    Path("bad.safetensors").write_bytes(data)
    assert main(["weights", "convert", "m.nn", "bad.safetensors", "out.pt"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and f"error[{code}]" in err and not Path("out.pt").exists()


def test_a_list_by_canonical_names(folder: Path, golden: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "convert", "m.nn", "good.pt", "good.safetensors"]) == 0
    other = TEXT.replace("LSTM(3)", "LSTM(5)").replace("Adam(0.01)", "SGD(0.01, momentum=0.5)")
    Path("other.nn").write_text(other, encoding="utf-8")
    capsys.readouterr()
    assert main(["weights", "convert", "other.nn", "good.safetensors", "out.pt"]) == 1
    golden("golden/canonical.txt", capsys.readouterr().err)
    Path("other.nn").write_text(TEXT.replace("Adam(0.01)", "SGD(0.01, momentum=0.5)"), encoding="utf-8")
    assert main(["weights", "convert", "other.nn", "good.safetensors", "out.pt"]) == 1
    golden("golden/canonical_state.txt", capsys.readouterr().err)
    assert not Path("out.pt").exists()


def test_numbers_that_are_none_are_warned_of(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _weights(lambda w: w | {"y.bias": torch.tensor([0.0, float("nan")])})
    assert main(["weights", "convert", "m.nn", "bad.pt", "out.safetensors"]) == 0
    assert "warning[NN1005]: `y/bias`: some values are no numbers" in capsys.readouterr().err
    assert main(["weights", "show", "out.safetensors"]) == 0
    assert "Not finite" in capsys.readouterr().out
    assert main(["weights", "diff", "bad.pt", "out.safetensors", "--for", "m.nn"]) == 0


def test_wider_numbers_are_rounded_with_a_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _weights(lambda w: {name: value.double() for name, value in w.items()})
    assert main(["weights", "convert", "m.nn", "bad.pt", "out.pt"]) == 0
    assert "warning[NN1006]" in capsys.readouterr().err
    assert main(["weights", "diff", "good.pt", "out.pt"]) == 0


# ------------------------------------------------------------------------------------------------ Keras


def _h5(build: Callable[[Any], None]) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File("bad.weights.h5", "w") as file:
        build(file)


def _soft(file: Any) -> None:
    import h5py

    file["layers/dense/vars/0"] = h5py.SoftLink("/somewhere")


def _external_link(file: Any) -> None:
    import h5py

    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/x")


def _external_data(file: Any) -> None:
    file.create_dataset("layers/dense/vars/0", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def _virtual(file: Any) -> None:
    import h5py

    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def _huge(file: Any) -> None:
    file.create_dataset("layers/dense/vars/0", (2**40,), "f4", chunks=(2**20,))[:4] = 1


def _bomb(file: Any) -> None:
    file.create_dataset("layers/dense/vars/0", (2**27,), "f4", compression="gzip", chunks=(2**22,))[:] = 0


def _text(file: Any) -> None:
    file["layers/dense/vars/0"] = "text"


def _nothing(file: Any) -> None:
    file.create_dataset("layers/dense/vars/0", (3,), "f4")


def _circle(file: Any) -> None:
    file.create_group("a")
    file["a/b"] = file["a"]


def _legacy(file: Any) -> None:
    file.attrs["layer_names"] = ["dense"]


BAD_H5 = {
    "soft_link": ("NN1003", _soft),
    "external_link": ("NN1003", _external_link),
    "external_data": ("NN1003", _external_data),
    "virtual": ("NN1003", _virtual),
    "huge": ("NN1003", _huge),
    "bomb": ("NN1003", _bomb),
    "text": ("NN1003", _text),
    "nothing": ("NN1001", _nothing),
    "circle": ("NN1003", _circle),
    "legacy": ("NN1001", _legacy),
}


@pytest.mark.parametrize("name", BAD_H5)
def test_of_keras(name: str, folder: Path, golden: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, build = BAD_H5[name]
    _h5(build)
    assert main(["weights", "convert", "m.nn", "bad.weights.h5", "out.pt"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err and f"error[{code}]" in err and not Path("out.pt").exists()
    golden(f"golden/keras_{name}.txt", err)


def test_a_damaged_file_of_keras(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _h5(lambda file: file.create_dataset("layers/dense/vars/0", data=np.ones(9999)))
    data = Path("bad.weights.h5").read_bytes()
    for part in (b"", data[:100], data[: len(data) // 2], b"PK" + data[2:]):
        Path("bad.weights.h5").write_bytes(part)
        assert main(["weights", "show", "bad.weights.h5"]) == 1
        assert "error[NN1001]" in capsys.readouterr().err


def _keras(entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile("bad.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ({}, "NN1001"),
        ({"config.json": b"{}", "model.weights.npz": b""}, "NN1001"),
        ({"model.weights.h5": b"no"}, "NN1001"),
        ({"model.weights.h5": b"\0" * 2**25}, "NN1003"),
    ],
)
def test_an_archive_that_is_no_model(
    entries: dict[str, bytes], code: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("h5py")
    _keras(entries)
    assert main(["weights", "show", "bad.keras"]) == 1
    assert f"error[{code}]" in capsys.readouterr().err
    Path("bad.keras").write_bytes(b"PK" + io.BytesIO(b"no archive").getvalue())
    assert main(["weights", "show", "bad.keras"]) == 1


# ------------------------------------------------------------------------------------------------ usage


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "model"], "has no ending that says what it is"),
        (["convert", "m.nn", "good.pt", "out.onnx"], "has no ending"),
        (["convert", "m.nn", "good.pt", "out.h5"], "call it NAME.weights.h5"),
        (["convert", "m.nn", "good.pt", "good.pt"], "would be overwritten"),
        (["convert", "m.nn", "good.pt", "none/out.safetensors"], "there is no folder `none`"),
        (["convert", "m.nn", "good.pt", "out.pt", "--model", "N"], "no model called `N`"),
        (["diff", "good.pt", "good.keras"], "`--for model.nn`"),
        (["show", "good.pt", "--set", "a=1"], "`--for model.nn`"),
        (["diff", "good.pt", "good.pt", "--tolerance", "-1"], "a number from 0 on"),
    ],
)
def test_usage(arguments: list[str], says: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("good.pt").read_bytes()
    assert main(["weights", *arguments]) == 2
    assert says in capsys.readouterr().err
    assert Path("good.pt").read_bytes() == before and {p.name for p in folder.iterdir()} == {"m.nn", "good.pt"}


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("h5py", ["show", "a.weights.h5"], "keras"),
        ("tensorflow", ["convert", "m.nn", "good.pt", "out.keras"], "keras"),
        ("safetensors", ["convert", "m.nn", "good.pt", "out.safetensors"], "torch"),
    ],
)
def test_a_package_that_is_missing(
    module: str, arguments: list[str], extra: str, folder: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from nndsl.interop import workers

    find = workers.importlib.util.find_spec
    monkeypatch.setattr(workers.importlib.util, "find_spec", lambda name: None if name == module else find(name))
    monkeypatch.setitem(sys.modules, module, None)
    for name in [name for name in sys.modules if name.startswith("nndsl.interop.") and name.endswith("_file")]:
        monkeypatch.delitem(sys.modules, name)
        monkeypatch.delattr("nndsl.interop." + name.rpartition(".")[2], raising=False)
    Path("a.weights.h5").write_bytes(b"\x89HDF\r\n\x1a\n")  # it must be there: a missing file is said first
    assert main(["weights", *arguments]) == 2
    err = capsys.readouterr().err
    assert f"this needs {module}, which is not installed" in err and f"pip install 'nndsl[{extra}]'" in err
    assert {p.name for p in folder.iterdir()} == {"m.nn", "good.pt", "a.weights.h5"}
