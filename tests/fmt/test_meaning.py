"""Whatever is formatted means the same, keeps its comments, and stays as it is when formatted again."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from tests.fmt.meaning import formatted
from tests.fmt.noise import rewrite
from tests.property.programs import block_program, program

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted([*(ROOT / "examples").rglob("*.nn"), *(ROOT / "docs").glob("*.nn")])
WRONG = sorted((ROOT / "tests" / "wrong" / "cases").rglob("*.nn"))
BLOCKS = [
    block
    for page in sorted((ROOT / "docs").glob("*.md"))
    for block in re.findall(r"^```nn\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
]
MARKS = "\n\r;#,.()[]{}-> '\"=:\\\t+-*_1eE0\u2028é\x0c"


def thrown_about(seed: int) -> str | None:
    """A program in a random layout, formatted."""
    random = Random(seed)
    kind = random.random()
    if kind < 0.4:
        text = random.choice(EXAMPLES).read_text(encoding="utf-8")
    else:
        text = block_program(random) if kind < 0.7 else program(random, steer=False)
    return formatted(rewrite(text, random), random.choice((40, 60, 100, 100, 200)))


def mutated(seed: int) -> str | None:
    """An example with a few characters changed, formatted."""
    random = Random(seed)
    text = random.choice(EXAMPLES).read_text(encoding="utf-8")
    for _ in range(random.randint(1, 4)):
        at, kind = random.randrange(len(text)), random.random()
        if kind < 0.3:
            text = text[:at] + text[at + 1 :]
        elif kind < 0.8:
            text = text[:at] + random.choice(MARKS) + text[at:]
        else:
            start = random.randrange(len(text))
            text = text[:at] + text[start : start + random.randint(1, 30)] + text[at:]
    return formatted(text)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_in_the_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text


def test_wrong_programs_that_parse() -> None:
    assert sum(formatted(path.read_bytes().decode("utf-8")) is not None for path in WRONG) > 100


def test_code_of_the_documentation() -> None:
    assert sum(formatted(text) is not None for text in BLOCKS) > 10


def test_random_layouts() -> None:
    assert sum(thrown_about(seed) is not None for seed in range(120)) > 100


def test_random_mistakes() -> None:
    found = [mutated(seed) is not None for seed in range(150)]
    assert 20 < sum(found) < 130


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_many_random_layouts(part: int) -> None:
    assert sum(thrown_about(seed) is not None for seed in range(1000 * part, 1000 * part + 1000)) > 900


@pytest.mark.slow
def test_many_random_mistakes() -> None:
    assert sum(mutated(seed) is not None for seed in range(5000)) > 1000


def test_the_style_that_the_documentation_shows() -> None:
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    written, shown = re.findall(r"^```nn\n(.*?)^```", page[page.index("The style\n") :], re.M | re.S)
    assert formatted(written) == shown
