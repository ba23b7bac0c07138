"""The Neovim plugin with the real language server, without a screen."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls", reason="the language server needs pygls")

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "editors" / "vim"
NVIM = shutil.which("nvim")
TEXT = """\
model Small {
    input x: float[4]
    # é
    hidden = x -> Dens(7)
    output y = hidden -> Dense(2) with loss=mse
}
"""

pytestmark = pytest.mark.skipif(NVIM is None, reason="needs Neovim")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a session in Neovim came to: `nvim_probe.lua` is the session."""
    folder = tmp_path_factory.mktemp("neovim")
    (folder / "nndsl.toml").touch()
    (folder / "models").mkdir()
    file = folder / "models" / "small.nn"
    file.write_text(TEXT, encoding="utf-8")
    request = folder / "probe"
    command = [sys.executable, "-m", "nndsl", "lsp"]
    request.write_text(json.dumps({"plugin": str(PLUGIN), "file": str(file), "cmd": command}), encoding="utf-8")
    environment = {
        **os.environ,
        **{f"XDG_{name}_HOME": str(folder / name) for name in ("CONFIG", "DATA", "STATE", "CACHE")},
        "NNDSL_PROBE": str(request),
        "PYTHONPATH": str(ROOT),
    }
    script = Path(__file__).parent / "nvim_probe.lua"
    done = subprocess.run(
        [str(NVIM), "--headless", "-i", "NONE", "-u", "NONE", "-c", f"luafile {script}"],
        env=environment, timeout=120, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    assert (folder / "probe.out").exists(), done.stdout + done.stderr
    result: dict[str, Any] = json.loads((folder / "probe.out").read_text(encoding="utf-8"))
    assert "failed" not in result, result["failed"]
    return result | {"folder": str(folder)}


def test_the_server_starts_at_the_root_of_the_project(found: dict[str, Any]) -> None:
    assert found["client"] == "nndsl" and found["root"] == found["folder"]


def test_problems_are_shown_where_they_are(found: dict[str, Any]) -> None:
    (problem,) = found["diagnostics"]
    assert problem[:4] == [3, 18, 22, 1] and problem[5:] == ["nndsl", "NN0202"]
    assert "there is no layer called `Dens`" in problem[4]


def test_hover_hints_and_rename(found: dict[str, Any]) -> None:
    assert "Dense" in found["hover"] and "[7]" in found["hover"]
    assert found["shows_hints"] == found["has_hints"]
    assert any("7" in str(hint) for hint in found["hints"])
    assert found["renamed"][3:5] == ["    trunk = x -> Dense(7)", "    output y = trunk -> Dense(2) with loss=mse"]


def test_the_program_stands_beside_the_text_and_follows_it(found: dict[str, Any]) -> None:
    assert "class Small(nn.Module):" in found["code"] and found["code_filetype"] == "python" and found["focus"]
    assert found["kept"] and found["remark"].startswith("not up to date: ")


def test_the_graph_is_written_and_opened(found: dict[str, Any]) -> None:
    assert found["graph"].lstrip().startswith("<svg") and "Dense(9)" in found["graph"]


def test_lenses_lead_to_the_commands_of_the_plugin(found: dict[str, Any]) -> None:
    assert {"Run nndsl.run", "Show code nndsl.showCode", "Show graph nndsl.showGraph"} <= set(found["lenses"])


def test_formatting(found: dict[str, Any]) -> None:
    assert found["formatted"] == TEXT.replace("hidden", "trunk").replace("Dens(7)", "Dense(9)").splitlines()


def test_targets(found: dict[str, Any]) -> None:
    assert found["targets"] == ["torch", "keras"]
    assert "no target `jax`: the targets are torch and keras" in found["messages"]


@pytest.mark.skipif(NVIM is None, reason="needs Neovim")
def test_the_configuration_for_neovim_011(tmp_path: Path) -> None:
    """`vim.lsp.enable` reads lsp/nndsl.lua; here it is only loaded, for this Neovim may be older."""
    code = f"set rtp^={PLUGIN} | lua print(vim.inspect(dofile('{PLUGIN / 'lsp' / 'nndsl.lua'}')))"
    done = subprocess.run(
        [str(NVIM), "--headless", "-i", "NONE", "-u", "NONE", "-c", code, "-c", "qall!"],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    shown = done.stdout + done.stderr
    assert 'cmd = { "nndsl", "lsp" }' in shown and 'filetypes = { "nndsl" }' in shown
    assert re.search(r'root_markers = \{ "nndsl.toml", "pyproject.toml", ".git" \}', shown)
