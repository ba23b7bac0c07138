"""Weight files hold the weights under canonical names in Keras's layout, and give them back."""

from __future__ import annotations

from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

TEXT = """model M {
    input image: float[8, 8, 3]
    input words: int[T]
    a = image -> Conv2D(4, 3) -> DepthwiseConv2D(3, depth_multiplier=2) -> BatchNormalization()
        -> Conv2DTranspose(5, 3, strides=2) -> GlobalAveragePooling2D()
    b = words -> Embedding(20, 6) -> Bidirectional(LSTM(7, return_sequences=true)) -> GRU(5)
    c = words -> Embedding(20, 6, mask_zero=true) -> RNN([GRUCell(4), LSTMCell(3)])
    output y = (a, b, c) -> Concatenate() -> Dense(2) with loss=mse
}
"""


def test_round_trip(tmp_path: Path) -> None:
    from nndsl.interop.load import load_program
    from nndsl.interop.safetensors_file import read, save_weights
    from nndsl.interop.weights import WrongWeights, canonical, put

    program = pipeline.check(SourceFile("m.nn", TEXT), Problems())
    assert program is not None
    loaded = load_program(program)
    first, second = loaded.cls(), loaded.cls()
    with torch.no_grad():
        for entry in loaded.state:
            first.state_dict()[entry.key].uniform_()
    weights = canonical(first, loaded.state)
    assert weights["a_conv2d/kernel"].shape == (3, 3, 3, 4)
    assert weights["y/kernel"].shape[1] == 2
    assert all("/" in name for name in weights)
    path = str(tmp_path / "m.safetensors")
    arrays = {name: tensor.numpy() for name, tensor in weights.items()}
    save_weights(path, arrays, model="M", transforms={"x": [{"transform": "scale", "factor": 0.5}]})
    contents = read(path)
    about = contents.about
    found = {name: torch.from_numpy(item.load()) for name, item in contents.weights.items()}
    assert about["model"] == "M" and about["transforms"]["x"][0]["transform"] == "scale"
    save_weights(path + "2", arrays, model="M", transforms=about["transforms"])
    assert Path(path).read_bytes() == Path(path + "2").read_bytes()
    assert found.keys() == weights.keys()
    put(second, loaded.state, found)
    again = canonical(second, loaded.state)
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    batch = {"image": torch.rand(2, 8, 8, 3), "words": torch.randint(0, 20, (2, 9))}
    with torch.no_grad():
        assert torch.equal(first.eval()(**batch)["y"], second.eval()(**batch)["y"])
    with pytest.raises(WrongWeights, match="no weight `y/kernel`"):
        put(second, loaded.state, {name: value for name, value in found.items() if name != "y/kernel"})
    with pytest.raises(WrongWeights, match="shape"):
        put(second, loaded.state, found | {"y/bias": torch.zeros(3)})
    (tmp_path / "bad.safetensors").write_bytes(b"not weights")
    with pytest.raises(WrongWeights):
        read(str(tmp_path / "bad.safetensors"))


def test_dense_kernels_are_as_keras_has_them(tmp_path: Path) -> None:
    from nndsl.interop.load import load_program
    from nndsl.interop.weights import canonical

    text = "model M { input x: float[3]\n output y = x -> Dense(2) with loss=mse }"
    program = pipeline.check(SourceFile("m.nn", text), Problems())
    assert program is not None
    loaded = load_program(program)
    model = loaded.cls()
    weights = canonical(model, loaded.state)
    x = torch.rand(4, 3)
    with torch.no_grad():
        assert torch.allclose(model(x)["y"], x @ weights["y/kernel"] + weights["y/bias"])
