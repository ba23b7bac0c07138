"""What was found, as plain data."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Mark(StrEnum):
    """How a thing is. Only what is broken makes the exit code 1."""

    OK = "ok"
    MISSING = "missing"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass
class Finding:
    """One thing: its name, how it is, a line about it, what to do, and lines that a program printed."""

    name: str
    mark: Mark
    text: str
    help: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)


@dataclass
class Section:
    title: str
    findings: list[Finding] = field(default_factory=list)

    def add(self, name: str, mark: Mark, text: str, *help: str, printed: list[str] | None = None) -> None:
        self.findings.append(Finding(name, mark, text, list(help), printed or []))


@dataclass
class Report:
    version: str
    sections: list[Section]
    quick: bool

    def count(self, mark: Mark) -> int:
        return sum(finding.mark is mark for section in self.sections for finding in section.findings)

    def as_data(self) -> dict[str, Any]:
        """For `--format json`, which goes into bug reports: the home folder is `~`, wherever it stands."""
        return {
            "format": 1,
            "nndsl": self.version,
            "quick": self.quick,
            "ok": not self.count(Mark.BROKEN),
            "sections": [
                {
                    "title": section.title,
                    "findings": [
                        {
                            "name": finding.name,
                            "mark": str(finding.mark),
                            "text": without_home(finding.text),
                            "help": [without_home(line) for line in finding.help],
                            "printed": [without_home(line) for line in finding.printed],
                        }
                        for finding in section.findings
                    ],
                }
                for section in self.sections
            ],
        }


def without_home(text: str) -> str:
    """The text with `~` for the user's home folder."""
    homes = {os.path.expanduser("~"), os.path.realpath(os.path.expanduser("~"))}
    for home in sorted(homes, key=len, reverse=True):
        if len(home) > 1 and os.path.isabs(home):
            parts = text.split(home)
            text = parts[0]
            for part in parts[1:]:  # not in /home/annabel where the home is /home/anna
                whole = not part[:1].isalnum() and part[:1] not in ("_", "-", ".")
                text += ("~" if whole else home) + part
    return text
