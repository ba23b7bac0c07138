"""The Vim plugin in a real Vim without a screen: colors of every construct, indenting, options, `:make`, `gf`, help."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nndsl.diagnostics.model import Problems
from nndsl.formatting import format_text
from nndsl.source import SourceFile
from nndsl.syntax.tables import load_tables

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "editors" / "vim"
CONSTRUCTS = Path(__file__).parent / "constructs.nn"
INDENTS = Path(__file__).parent / "indents.nn"  # as the formatter writes it
EXAMPLES = [*sorted((ROOT / "examples").rglob("*.nn")), CONSTRUCTS]
VIM = shutil.which("vim")

pytestmark = pytest.mark.skipif(VIM is None, reason="needs Vim")
Runs = list[tuple[str, str]]


@pytest.fixture
def probe(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs Vim on files: what `vim_probe.vim` found out about them."""

    def run(files: list[Path], **work: Any) -> dict[str, Any]:
        request = tmp_path / "probe"
        request.write_text(json.dumps({"files": list(map(str, files)), **work}), encoding="utf-8")
        environment = {
            **os.environ,
            "NNDSL_PLUGIN": str(PLUGIN),
            "NNDSL_PROBE": str(request),
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
        }
        script = Path(__file__).parent / "vim_probe.vim"
        subprocess.run(
            [str(VIM), "-es", "-N", "-i", "NONE", "-u", script],
            env=environment, cwd=tmp_path, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        found: dict[str, Any] = json.loads((tmp_path / "probe.out").read_text(encoding="utf-8"))
        assert "failed" not in found, found["failed"]
        return found

    return run


def runs_of(lines: list[Runs]) -> Iterator[tuple[str, str]]:
    for line in lines:
        yield from ((group, text) for group, text in line if text.strip())


def test_every_example_has_colors_and_no_error(probe: Callable[..., dict[str, Any]]) -> None:
    found = probe(EXAMPLES, groups=1)
    for path in EXAMPLES:
        assert found[str(path)]["filetype"] == "nndsl"
        groups = list(runs_of(found[str(path)]["groups"]))
        assert [text for group, text in groups if group == "nndslError"] == [], path
        assert {"nndslComment", "nndslStructure", "nndslModel", "nndslCall", "nndslOperator"} <= {g for g, _ in groups}


def test_the_colors_of_every_construct(probe: Callable[..., dict[str, Any]], golden: Any) -> None:
    lines = probe([CONSTRUCTS], groups=1)[str(CONSTRUCTS)]["groups"]
    golden("golden/constructs.vim", "".join(f"{group:18} {text}\n" for group, text in runs_of(lines)))


@pytest.mark.parametrize(
    "broken",
    [
        '    x = "open',
        "    x = 'it\\'s",
        "    x = y -> Dense(3, [",
        "    => $ { ( é 3x4 |>",
        "    x = \\",
        "    with # \"'",
    ],
)
def test_a_broken_line_colors_no_other(probe: Callable[..., dict[str, Any]], tmp_path: Path, broken: str) -> None:
    lines = CONSTRUCTS.read_text(encoding="utf-8").splitlines()
    at = lines.index("    input x") + 1
    before, after = tmp_path / "fine.nn", tmp_path / "broken.nn"
    before.write_text("\n".join([*lines[:at], "", *lines[at:]]) + "\n", encoding="utf-8")
    after.write_text("\n".join([*lines[:at], broken, *lines[at:]]) + "\n", encoding="utf-8")
    found = probe([before, after], groups=1)
    fine, wrong = (found[str(path)]["groups"] for path in (before, after))
    assert fine[:at] == wrong[:at] and fine[at + 1 :] == wrong[at + 1 :] and wrong[at]


def test_what_is_not_in_the_language_is_an_error(probe: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "wrong.nn"
    path.write_text('model A {\n    x = y => Dense(3x4) |> é != 1..2 && $ # é => " $\n}\n', encoding="utf-8")
    errors = [t for g, t in runs_of(probe([path], groups=1)[str(path)]["groups"]) if g == "nndslError"]
    assert errors == ["=>", "3x4", "|>", "é", "&&", "$"]


def test_indenting_keeps_and_restores_every_example(probe: Callable[..., dict[str, Any]]) -> None:
    files = [*EXAMPLES, INDENTS]
    found = probe(files, indent=1)
    for path in files:
        as_it_is, again, anew = found[str(path)]["indent"]
        if path != CONSTRUCTS:
            assert again == as_it_is, path
        assert anew == again, path


def test_indenting_behind_brackets_that_lines_above_close(probe: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "brackets.nn"
    lines = [
        "model A {",
        "    y = x -> F(G(a, [",
        "        1",
        "    ],",
        "                 b),",
        "               c)",
        "    z = y",
        "}",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _, again, anew = probe([path], indent=1)[str(path)]["indent"]
    assert again == lines and anew == lines


def test_a_long_body_is_indented_in_the_time_of_its_length(
    probe: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "long.nn"
    part = "    h{0} = x\n        -> Dense({0}, activation=relu)\n        -> branch {{ Dense(3); Identity() }}\n"
    text = "model A {\n    input x: float[4]\n" + "".join(map(part.format, range(1000))) + "}\n"
    path.write_text(text, encoding="utf-8")
    _, again, anew = probe([path], indent=1)[str(path)]["indent"]  # minutes, if it were the time of its square
    assert again == text.splitlines() and anew == again


def test_options_and_their_undoing(probe: Callable[..., dict[str, Any]]) -> None:
    names = ["commentstring", "suffixesadd", "matchpairs", "shiftwidth", "expandtab", "formatexpr", "makeprg"]
    ask = [f"&l:{name}" for name in names] + ["execute('setlocal filetype=')", "&l:commentstring", "&l:indentexpr"]
    answers = probe([CONSTRUCTS], ask=ask)["answers"]
    assert answers[:6] == ["# %s", ".nn", "(:),{:},[:]", 4, 1, "nndsl#FormatExpr()"]
    assert answers[6] == "nndsl check --format concise $* %:S"
    assert "# %s" not in answers[8:9] and answers[9] == ""


def test_make_fills_the_quickfix_list(probe: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "my model.nn"
    path.write_text("model A {\n    input x: float[4]\n    h = x -> Dense(1)\n    output é = x -> Dens(3)\n}\n")
    program = shlex.join([sys.executable, "-m", "nndsl"])
    ask = [
        f"execute('let g:nndsl_program = {json.dumps(program)}')",
        "execute('unlet b:current_compiler | compiler nndsl | silent make!')",
        "map(getqflist(), {_, item -> [bufname(item.bufnr), item.lnum, item.vcol, item.col, item.type, item.text]})",
    ]
    problems = probe([path], ask=ask)["answers"][-1]
    assert [str(path), 4, 1, 21, "E", "[NN0202]: there is no layer called `Dens`"] in problems, problems


def test_formatting_the_buffer_and_not_what_is_broken(probe: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    program = shlex.join([sys.executable, "-m", "nndsl"])
    ugly = "model  A {\n\tinput x : float[4]\n\toutput y=x->Dense( 3 )   # é\n\n\n\n}\n"
    fine, broken = tmp_path / "ugly.nn", tmp_path / "broken.nn"
    fine.write_text(ugly, encoding="utf-8")
    broken.write_text(ugly.replace("Dense(", "Dense(("), encoding="utf-8")
    ask = [f"execute('let g:nndsl_program = {json.dumps(program)}')"]
    for command in ("NndslFormat", "normal! gggqG"):
        ask += [
            f"execute('buffer ugly.nn | {command}')",
            "getline(1, '$')",
            "execute('silent undo')",
            "getline(1, '$')",
        ]
    ask += ["execute('buffer broken.nn | NndslFormat')", "getline(1, '$')"]
    answers = probe([fine, broken], ask=ask)["answers"][1:]
    formatted = ["model A {", "    input x: float[4]", "    output y = x -> Dense(3)  # é", "}"]
    assert answers[1] == answers[5] == formatted
    assert answers[3] == answers[7] == ugly.splitlines(), "one step back undoes it"
    assert "error[NN01" in answers[8] and answers[9] == broken.read_text(encoding="utf-8").splitlines()


def test_the_text_of_the_indents_is_formatted() -> None:
    text = INDENTS.read_text(encoding="utf-8")
    assert format_text(SourceFile("indents.nn", text), Problems()) == text


def test_gf_goes_to_an_imported_file(probe: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "parts.nn").write_text("block B() {\n}\n")
    main = tmp_path / "main.nn"
    main.write_text('from "blocks/parts.nn" import B\n')
    ask = ["cursor(1, 10)", "execute('normal! gf')", "expand('%:t')", "&filetype"]
    assert probe([main], ask=ask)["answers"][2:] == ["parts.nn", "nndsl"]


def test_folds_and_help(probe: Callable[..., dict[str, Any]]) -> None:
    ask = [
        "execute('setlocal foldmethod=syntax foldlevel=0')",
        "map([1, search('^block'), search('^model') + 3], 'foldclosedend(v:val)')",
        f"execute('helptags {PLUGIN / 'doc'}')",
        "execute('help nndsl-lsp')",
        "expand('%:t')",
    ]
    answers = probe([CONSTRUCTS], ask=ask)["answers"]
    lines = CONSTRUCTS.read_text(encoding="utf-8").splitlines()
    assert answers[1] == [-1, lines.index("}") + 1, len(lines)]
    assert answers[4] == "nndsl.txt"


def test_the_reserved_words_are_those_of_the_language() -> None:
    text = (PLUGIN / "syntax" / "nndsl.vim").read_text(encoding="utf-8")
    table = text[text.index("let s:words = {") : text.index("      \\ }\n")]
    words = [word for found in re.findall(r": '([a-z ]+)'", table) for word in found.split()]
    assert sorted(words) == sorted(load_tables().words)
