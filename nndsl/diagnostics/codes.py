"""The registry of codes: what each means, with a program that is wrong in that way and one that is right.

The texts are data, a Markdown file for each family in `explanations/`, read only when someone asks:

    # NN02: names and arguments         the family
    What the family is about.

    ## NN0203: unknown argument         a code; "(warning)" at the end where it is one
    Why it is an error, what to do.
    ### Wrong, ### Right                an example each, in a fence

A fence with the info string `nn` holds a whole program that tests compile: the wrong one must give the code, the right
one nothing. `nn data` marks a program that is wrong only together with its data, `console` and `text` what is no
program at all.
"""

from __future__ import annotations

import re
from functools import cache

from nndsl.diagnostics.model import Severity
from nndsl.records import record

FAMILIES = ("NN01", "NN02", "NN03", "NN04", "NN05", "NN06", "NN07", "NN08", "NN09", "NN10")


@record
class Code:
    """What a code means. `wrong` and `right` are the texts of the examples, `kind` the info string of their fence."""

    code: str
    title: str
    explanation: str
    wrong: str
    right: str
    kind: str = "nn"
    severity: Severity = Severity.ERROR

    @property
    def is_checked(self) -> bool:
        """Whether `wrong` and `right` are whole programs that show the code on their own."""
        return self.kind == "nn"


@record
class Family:
    """The codes that begin alike."""

    prefix: str
    title: str
    about: str
    codes: tuple[Code, ...]


_FAMILY = re.compile(r"# (?P<prefix>NN\d\d): (?P<title>[^\n]+)\n(?P<about>.*)\Z", re.S)
_ENTRY = re.compile(
    r"(?P<code>NN\d{4}): (?P<title>[^\n]+?)(?P<warning> \(warning\))?\n+(?P<explanation>.*?)\n*"
    r"### Wrong\n+```(?P<kind>[^\n]+)\n(?P<wrong>.*?)```\n+"
    r"### Right\n+```(?P=kind)\n(?P<right>.*?)```\s*\Z",
    re.S,
)


def parse_family(text: str) -> Family:
    """The text of a family's file as data; ValueError says which entry is not as it should be."""
    head, *entries = re.split(r"^## ", text, flags=re.M)
    family = _FAMILY.match(head)
    if family is None:
        raise ValueError(f"not the head of a family: {head[:60]!r}")
    codes = []
    for entry in entries:
        found = _ENTRY.match(entry)
        if found is None or not found["code"].startswith(family["prefix"]):
            raise ValueError(f"not an entry of {family['prefix']}: {entry[:60]!r}")
        severity = Severity.WARNING if found["warning"] else Severity.ERROR
        code, title, explanation = found["code"], found["title"], found["explanation"]
        codes.append(Code(code, title, explanation, found["wrong"], found["right"], found["kind"], severity))
    return Family(family["prefix"], family["title"], family["about"].strip(), tuple(codes))


@cache
def family(prefix: str) -> Family:
    """The family `NN02`; KeyError where there is none."""
    if prefix not in FAMILIES:
        raise KeyError(prefix)
    from importlib.resources import files

    return parse_family((files(__package__) / "explanations" / f"{prefix}.md").read_text(encoding="utf-8"))


def find(code: str) -> Code | None:
    """The entry of a code, in whatever case it is written."""
    code = code.strip().upper()
    if code[:4] not in FAMILIES:
        return None
    return next((entry for entry in family(code[:4]).codes if entry.code == code), None)


def all_codes() -> tuple[Code, ...]:
    """Every code, in the order of the numbers."""
    return tuple(sorted((code for prefix in FAMILIES for code in family(prefix).codes), key=lambda code: code.code))


def explain(code: str) -> str | None:
    """The explanation of a code as text for a terminal, or None for an unknown one."""
    entry = find(code)
    if entry is None:
        return None
    parts = [f"{entry.severity.value}[{entry.code}]: {entry.title}", entry.explanation]
    for name, example in (("Wrong", entry.wrong), ("Right", entry.right)):
        indented = "\n".join(f"    {line}".rstrip() for line in example.rstrip().split("\n"))
        parts.append(f"{name}:\n\n{indented}")
    return "\n\n".join(parts) + "\n"
