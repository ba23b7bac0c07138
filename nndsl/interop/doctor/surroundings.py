"""What lies around: the command on the path, and variables and files that change how things run."""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from nndsl.interop.doctor.findings import Mark, Section
from nndsl.interop.doctor.requirements import record_of_this

_SHOWN = (
    "CUDA_VISIBLE_DEVICES", "COLUMNS", "FORCE_COLOR", "KERAS_BACKEND", "KERAS_HOME", "NNDSL_DEBUG",
    "NO_COLOR", "OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "TF_CPP_MIN_LOG_LEVEL",
    "TF_DETERMINISTIC_OPS", "TF_ENABLE_ONEDNN_OPTS", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS", "TF_USE_LEGACY_KERAS", "TF_XLA_FLAGS", "XDG_CACHE_HOME",
)  # fmt: skip
_LONGEST = 200


def editors() -> Section:
    """Editors start `nndsl` by its name: it should be this one."""
    section = Section("Editors")
    path = shutil.which("nndsl")
    folders = {_real(sysconfig.get_path("scripts")), _real(sysconfig.get_path("scripts", f"{os.name}_user"))}
    here = f"write `{sys.executable} -m nndsl` where an editor asks for the command"
    if path is None:
        text = "`nndsl` is not on the PATH: shells and editors do not find it"
        section.add("command", Mark.MISSING, text, f"add {sysconfig.get_path('scripts')} to PATH, or {here}")
    elif _real(os.path.dirname(os.path.realpath(path))) not in folders:
        section.add("command", Mark.WARNING, f"`nndsl` is {path}, of another Python than this one", here)
    elif record_of_this() is None:
        section.add("command", Mark.WARNING, f"`nndsl` is {path}, which starts another nndsl than this one", here)
    else:
        section.add("command", Mark.OK, path)
    return section


def _real(folder: str) -> str:
    return os.path.realpath(folder)


def variables() -> Section:
    section = Section("Environment")
    for name in _SHOWN:
        value = os.environ.get(name)
        if value is not None:
            remark = _remark(name, value)
            shown = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
            mark = Mark.WARNING if remark else Mark.OK
            section.add(name, mark, shown or "(empty)", *([remark] if remark else []))
    _keras_file(section)
    if not section.findings:
        section.add("variables", Mark.OK, "none is set that matters")
    return section


def _remark(name: str, value: str) -> str | None:
    """What to do about a value; None where it is fine."""
    if name == "KERAS_BACKEND" and value != "tensorflow":
        return "emitted Keras programs need the backend tensorflow: unset it, or KERAS_BACKEND=tensorflow"
    if name == "TF_USE_LEGACY_KERAS" and value.lower() in ("1", "true"):
        return "emitted Keras programs need Keras 3: unset it"
    if name == "OMP_NUM_THREADS" and not all(part.strip().isdigit() and int(part) for part in value.split(",")):
        return "it takes a number from 1 on"
    if name == "PYTHONHOME":
        return "another Python that runs with it may not start: unset it unless you know why it is there"
    return None


def _keras_file(section: Section) -> None:
    """Keras reads the backend from a file where no variable says it."""
    file = Path(os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")) / "keras.json"
    try:
        with file.open("rb") as stream:
            backend = json.loads(stream.read(100_000)).get("backend", "tensorflow")
    except (OSError, ValueError, AttributeError, RecursionError):
        return
    if backend != "tensorflow" and "KERAS_BACKEND" not in os.environ:
        section.add(
            "keras.json", Mark.WARNING, f"{file} says the backend {str(backend)[:50]!r}",
            "emitted Keras programs need tensorflow: write it there, or set KERAS_BACKEND=tensorflow",
        )  # fmt: skip
