"""The registry of codes and the pages that are written from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nndsl.diagnostics import docs
from nndsl.diagnostics.codes import FAMILIES, all_codes, explain, family, find, parse_family
from nndsl.diagnostics.model import Severity

ROOT = Path(__file__).parents[2]
WARNINGS = {"NN0402", "NN0403", "NN0404", "NN0407", "NN0507", "NN1005", "NN1006"}


def test_numbers() -> None:
    codes = [entry.code for entry in all_codes()]
    assert len(codes) == len(set(codes))
    for prefix, last in {"NN02": 21, "NN03": 14, "NN04": 9, "NN05": 8, "NN06": 11, "NN07": 6, "NN10": 6}.items():
        assert [code for code in codes if code.startswith(prefix)] == [f"{prefix}{i:02}" for i in range(1, last + 1)]
    assert {code for code in codes if code.startswith("NN09")} >= {f"NN090{i}" for i in (1, 2, 3, 4, 5, 6, 8)}


@pytest.mark.parametrize("code", [entry.code for entry in all_codes()])
def test_entry(code: str) -> None:
    entry = find(code)
    assert entry is not None
    assert entry.title and entry.explanation and entry.wrong.strip() and entry.right.strip()
    assert entry.wrong != entry.right
    assert entry.kind in ("nn", "nn data", "console", "text")
    assert entry.is_checked == (entry.kind == "nn")
    assert all(len(line) <= 120 for text in (entry.explanation, entry.wrong, entry.right) for line in text.split("\n"))
    if not code.startswith("NN01"):
        assert (entry.severity is Severity.WARNING) == (code in WARNINGS or code.startswith("NN09"))


def test_explain(golden: object) -> None:
    assert callable(golden)
    text = explain("nn0203")
    assert text is not None
    golden("golden/explain_NN0203.txt", text)
    assert explain("NN9999") is None
    assert explain("NN0299") is None
    assert explain("../../etc/passwd") is None


def test_families() -> None:
    for prefix in FAMILIES:
        assert family(prefix).prefix == prefix
        assert family(prefix).title and family(prefix).about
    with pytest.raises(KeyError):
        family("NN42")


@pytest.mark.parametrize(
    "text",
    [
        "no head",
        "# NN02: t\nabout\n\n## NN0301: of another family\nx\n### Wrong\n```nn\na\n```\n### Right\n```nn\nb\n```\n",
        "# NN02: t\nabout\n\n## NN0201: no example\nx\n",
        "# NN02: t\nabout\n\n## NN0201: kinds differ\nx\n### Wrong\n```nn\na\n```\n### Right\n```text\nb\n```\n",
    ],
)
def test_a_broken_family_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not"):
        parse_family(text)


def test_docs_are_up_to_date() -> None:
    assert docs.out_of_date(ROOT / "docs/errors") == []


def test_docs_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main([str(tmp_path), "--check"]) == 1
    assert "NN0203.md is out of date" in capsys.readouterr().err
    assert docs.main([str(tmp_path)]) == 0
    assert docs.main([str(tmp_path), "--check"]) == 0
    (tmp_path / "NN0203.md").write_text("edited", encoding="utf-8")
    (tmp_path / "NN0999.md").write_text("of a code that is gone", encoding="utf-8")
    assert docs.out_of_date(tmp_path) == ["NN0203.md", "NN0999.md"]
    docs.write_docs(tmp_path)
    assert docs.out_of_date(tmp_path) == []
