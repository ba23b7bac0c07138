"""Every example and every model of the zoo, the latter at small sizes: both programs agree, after training too."""

from __future__ import annotations

from pathlib import Path

import pytest

from nndsl import api
from nndsl.interop import verify
from nndsl.project import Project
from tests.verify.planting import assert_holds

ROOT = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(path.stem for path in ROOT.glob("*.nn"))
# The learning rates of the papers are for batches of hundreds of large images; on a few small ones training is chaotic
# with them, and nothing could be compared.
CNN = {"size": 64, "classes": 5}
ATTENTION = {"vocabulary": 50, "size": 32, "depth": 2, "heads": 4}
ZOO: dict[str, dict[str, float]] = {
    "densenet121": {**CNN, "learning_rate": 1e-4},
    "efficientnet_b0": {**CNN, "learning_rate": 2e-5},
    "gpt": {**ATTENTION, "context": 16},
    "inception_v3": {**CNN, "size": 96, "learning_rate": 1e-4},
    "mobilenet_v2": {**CNN, "learning_rate": 5e-5},
    "resnet50": {**CNN, "learning_rate": 2e-5},
    "resnet50v2": {**CNN, "learning_rate": 2e-4},
    "seq2seq": {"source_vocabulary": 50, "target_vocabulary": 40, "units": 12},
    "transformer": ATTENTION,
    "two_towers": {"vocabulary": 50, "size": 16},
    "unet": {"size": 32},
    "vae": {},
    "vgg16": {**CNN, "size": 32, "learning_rate": 1e-4},
    "vit": {"image_size": 32, "patch": 8, "size": 32, "depth": 2, "heads": 4, "classes": 5},
    "wavenet": {"levels": 16, "channels": 8, "stacks": 2, "depth": 3},
    "xception": {**CNN, "size": 96, "learning_rate": 1e-4},
}


def rows(path: Path, params: dict[str, float]) -> verify.Report:
    program = api.check(path, params)
    texts = {name: str(value) for name, value in params.items()}
    return verify.verify(program, Project(program.file).read, texts, verify.Options())


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    _holds(rows(ROOT / f"{name}.nn", {}))


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
def test_the_zoo(name: str) -> None:
    _holds(rows(ROOT / "zoo" / f"{name}.nn", ZOO[name]))


def test_all_of_the_zoo_is_there() -> None:
    assert sorted(ZOO) == sorted(path.stem for path in (ROOT / "zoo").glob("*.nn"))


def _holds(report: verify.Report) -> None:
    assert_holds({f"{row.check} {row.dtype}": row for row in report.rows})
