"""The difference that `nndsl fmt --diff` shows: one that leads from the one text to the other, also of long files."""

from __future__ import annotations

import re
import time

import pytest

from nndsl.formatting.diff import unified

MODEL = ["model M{0} {{", "  input x: float[4]", "  output y{0} = x", "}}"]
TIDY = ["model M{0} {{", "    input x: float[4]", "    output y{0} = x", "}}", ""]
PAIRS = {
    "same": (["a", "b"], ["a", "b"]),
    "one line": (["a", "b", "c"], ["a", "B", "c"]),
    "from nothing": ([], ["a"]),
    "to nothing": (["a"], []),
    "far apart": ([str(i) for i in range(40)], ["new", *(str(i) for i in range(39)), "other"]),
    "exchanged": (["a", "b", "c", "d"], ["c", "d", "a", "b"]),
    "every other line": (
        [line.format(number) for number in range(4000) for line in MODEL],
        [line.format(number) for number in range(4000) for line in TIDY],
    ),
    "nothing alone": (["a", "b", "c"] * 4000, ["a", "c", "c"] * 4000),
}


def applied(before: list[str], diff: list[str]) -> list[str]:
    """What the diff makes of a text."""
    result: list[str] = []
    at = 0
    for line in diff[2:]:
        if line.startswith("@@"):
            found = re.match(r"@@ -(\d+)(,\d+)? ", line)
            assert found is not None
            start = int(found[1]) - (found[2] != ",0")
            result += before[at:start]
            at = start
        elif line.startswith("+"):
            result.append(line[1:])
        else:
            assert before[at] == line[1:]
            result += [line[1:]] if line.startswith(" ") else []
            at += 1
    return result + before[at:]


@pytest.mark.parametrize("name", PAIRS)
def test_leads_from_one_to_the_other(name: str) -> None:
    before, after = PAIRS[name]
    began = time.process_time()
    diff = list(unified(before, after, "old", "new"))
    assert time.process_time() - began < 2  # a tenth of a second on an idle machine
    assert applied(before, diff) == after
    assert bool(diff) == (before != after)
