"""A real VS Code with the extension and the server: what the screen shows. `make vscode-test` sets it up and runs it.

With `--update` the pictures in docs/ are taken anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOME = ROOT / "editors/vscode"
INSTALLED = Path(os.environ.get("NNDSL_VSCODE", HOME / "test/real/installed"))
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
PICTURES = ("error", "fix", "hover", "code", "graph")


@pytest.mark.slow
@pytest.mark.skipif(
    not (INSTALLED / ".done").is_file() or CHROMIUM is None,
    reason="`make vscode-test` has not been run (it needs npm, a C++ compiler and Chromium)",
)
def test_a_real_vscode_shows_it_all(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Colours, an error under the very argument, a quick fix, shapes, hover, the program, the graph."""
    package = tmp_path / "nndsl.vsix"
    subprocess.run([str(HOME / "build-vsix"), str(package)], check=True, capture_output=True, timeout=180)
    program = Path(sys.executable).parent / "nndsl"
    drive = subprocess.run(
        ["node", str(HOME / "test/real/drive.mjs"), str(INSTALLED), str(program), str(package), str(tmp_path)],
        env={**os.environ, "CHROMIUM": str(CHROMIUM), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=400,
        check=False,
    )
    assert drive.returncode == 0, drive.stdout + drive.stderr
    assert drive.stdout.rstrip().endswith("all is well")
    for name in PICTURES:
        picture = tmp_path / f"editors-vscode-{name}.png"
        assert picture.stat().st_size < 200_000
        if request.config.getoption("--update"):
            shutil.copy(picture, ROOT / "docs" / picture.name)


def test_the_documentation_shows_the_pictures() -> None:
    page = (ROOT / "docs/editors.md").read_text(encoding="utf-8")
    for name in PICTURES:
        assert f"(editors-vscode-{name}.png)" in page
        picture = (ROOT / f"docs/editors-vscode-{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 200_000
