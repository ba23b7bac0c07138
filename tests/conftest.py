"""What all tests share: `--update`, and `golden`, which compares a text with a file."""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite golden files that differ, then review the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path | str, str], None]:
    """`golden(path, text)`: the text must be the file's, byte for byte. A relative path starts at the test's folder.

    With `--update` the file is written instead.
    """
    folder = request.path.parent
    update = bool(request.config.getoption("--update"))

    def compare(path: Path | str, text: str) -> None:
        __tracebackhide__ = True
        file = folder / path
        wanted = file.read_bytes().decode("utf-8") if file.exists() else None
        if wanted == text:
            return
        if update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode("utf-8"))
            return
        if wanted is None:
            pytest.fail(f"{file} is missing; `pytest --update` writes it. The text:\n{text}", pytrace=False)
        lines = difflib.unified_diff(
            wanted.splitlines(), text.splitlines(), f"{path} (golden)", f"{path} (now)", lineterm=""
        )
        diff = "\n".join(lines) or "they differ only in line ends"
        pytest.fail(f"{path} differs (`pytest --update` rewrites it):\n{diff}", pytrace=False)

    return compare


@pytest.fixture
def well_typed() -> Callable[[Iterable[Path]], None]:
    """`well_typed(files)`: mypy --strict finds nothing in emitted programs. What it knows of torch is kept from test to
    test, one cache for each process."""
    cache = Path(__file__).parents[1] / ".mypy_cache" / f"emitted-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"

    def check(files: Iterable[Path]) -> None:
        names = sorted(map(str, files))
        assert names
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", *names],
            cwd=Path(names[0]).parent, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]

    return check


@pytest.fixture(autouse=True)
def fresh_keras() -> Iterator[None]:
    """A program of float64 says so to all of Keras, whose layers keep to the first type that they see: the next test
    begins as a new process would."""
    yield
    if "keras" in sys.modules:
        keras = sys.modules["keras"]
        policy = keras.src.backend.common.global_state.get_global_attribute("dtype_policy")
        if keras.config.floatx() != "float32" or (policy is not None and policy.name != "float32"):
            from nndsl.interop import keras_side

            keras_side.begin_anew()  # a tenth of a second: not behind every test


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m golden` selects every test that compares with a golden file; of tests that are marked `thinned` every other
    case is slow."""
    seen: Counter[str] = Counter()
    for item in items:
        if "golden" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.golden)
        if item.get_closest_marker("thinned") is not None:
            name = item.nodeid.partition("[")[0]
            if seen[name] % 2:
                item.add_marker(pytest.mark.slow)
            seen[name] += 1
