"""What the installed nndsl says that it needs, and whether a version fits.

The forms of requirements that pyproject.toml of nndsl uses, and no others: the compiler has no dependency that could
read all of them. (The tests hold this against `packaging`.)
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
"""What holds the package: a checkout, or site-packages."""
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*\(?([^;()]*)\)?\s*(?:;(.*))?$", re.DOTALL)
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_PLATFORM = re.compile(r"""sys_platform\s*(==|!=)\s*['"]([^'"]+)['"]""")
# Builds of one package under several names: any of them will do.
_BUILDS = {"tensorflow-cpu": ("tensorflow",)}
# Where the module has another name than the package.
_MODULES = {"tensorflow-cpu": "tensorflow", "scikit-learn": "sklearn", "pillow": "PIL", "ipython": "IPython"}


@dataclass(frozen=True)
class Requirement:
    name: str
    range: str  # ">=1.3.1,<2", "" for any version
    extra: str | None  # None: nndsl does not work without it

    @property
    def module(self) -> str:
        return _MODULES.get(self.name, self.name)

    def found(self) -> tuple[str, str] | None:
        """The name and version of what is installed; None where nothing is."""
        for name in (self.name, *_BUILDS.get(self.name, ())):
            try:
                version = metadata.version(name)
            except Exception:
                continue
            if isinstance(version, str):
                return name, version
        return None


def parse(text: str, extra: str | None = None) -> Requirement | None:
    """A requirement as metadata spell it; None where it is none for this system. Raises ValueError."""
    match = _REQUIREMENT.match(text)
    if match is None:
        raise ValueError(f"the requirement `{text}` is none that nndsl declares")
    name, spec, marker = match[1], match[2], match[3] or ""
    if named := _EXTRA.search(marker):
        extra = named[1]
    for operator, platform in _PLATFORM.findall(marker):
        if (sys.platform == platform) != (operator == "=="):
            return None
    parts = sorted((part.strip() for part in spec.split(",") if part.strip()), reverse=True)  # >= before <
    return Requirement(re.sub(r"[-_.]+", "-", name).lower(), ",".join(parts), extra)


def fits(version: str, range: str) -> bool:
    """Whether a version is within a range. Raises ValueError where one of them cannot be read."""
    for part in filter(None, range.split(",")):
        match = re.fullmatch(r"(>=|<)\s*(\d+(?:\.\d+)*)", part.strip())
        if match is None:
            raise ValueError(f"the range `{part}` is none that nndsl declares")
        bound, number = _key(match[2]), _key(version)
        if number < bound if match[1] == ">=" else number[0] >= bound[0]:  # 2.0rc1 is not below 2 either
            return False
    return True


def _key(version: str) -> tuple[tuple[int, ...], int]:
    """Release numbers, and 0 for what comes before them. What is behind a `+` says how it was built."""
    match = re.match(r"v?(?:0!)?(\d+(?:\.\d+)*)(.*)", version.strip().lower().partition("+")[0])
    if match is None:
        raise ValueError(f"the version `{version}` cannot be read")
    numbers = [int(number) for number in match[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    before = re.match(r"[-_.]?(a|b|c|rc|alpha|beta|pre|preview|dev)", match[2])
    return tuple(numbers), 0 if before else 1


def declared() -> list[Requirement]:
    """Of this nndsl: from pyproject.toml of a checkout (what was installed may be older), else from the record of the
    installation. Empty where there is neither."""
    project = _project()
    if project is not None:
        extras = project.get("optional-dependencies", {})
        texts = [(text, None) for text in project.get("dependencies", [])]
        return _all([*texts, *((text, extra) for extra in sorted(extras) for text in extras[extra])])
    record = record_of_this()
    return [] if record is None else _all((text, None) for text in record.requires or [])


def _all(texts: Iterable[tuple[str, str | None]]) -> list[Requirement]:
    return [found for text, extra in texts if (found := parse(text, extra)) is not None]


def _project() -> dict[str, dict[str, list[str]]] | None:
    try:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError, KeyError):
        return None
    return project if project.get("name") == "nndsl" else None


def is_checkout() -> bool:
    return _project() is not None


def record_of_this() -> metadata.Distribution | None:
    """The record of the installation that this code is from; None where it is from none (or another one is found)."""
    try:
        found = metadata.distribution("nndsl")
        inside = Path(str(found.locate_file("nndsl"))).resolve()
        if inside == ROOT / "nndsl":
            return found
        url = found.read_text("direct_url.json") or ""
    except Exception:
        return None
    return found if f'"{ROOT.as_uri()}"' in url else None
