"""What is made of the trials: whether packages can be imported, frameworks compute, and both programs agree."""

from __future__ import annotations

import glob
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nndsl.interop.doctor import small, trials
from nndsl.interop.doctor.findings import Finding, Mark, Section
from nndsl.interop.doctor.requirements import Requirement
from nndsl.interop.doctor.trials import Outcome, Trial

Progress = Callable[[str], None] | None
_FRAMEWORKS = {"torch": ("PyTorch", ("torch",)), "keras": ("TensorFlow and Keras", ("tensorflow", "keras"))}
_CLOSE = 1e-5  # float32, numbers about 1, ten products


def compiles(section: Section, limit: float, progress: Progress) -> dict[str, str]:
    """The emitted programs of a small model; empty where it does not compile."""
    (outcome,) = trials.run([Trial("compile")], limit, progress)
    if outcome.failed:
        section.findings.append(_failure("self test", outcome, outcome.stage, ["lark", "jinja2"]))
        return {}
    took = f"{outcome.answer['seconds']:.1f} s"
    section.add("self test", Mark.OK, f"a small model compiles to both targets ({took})")
    return {target: outcome.answer[target] for target in ("torch", "keras")}


def everything(
    extras: Section, there: Mapping[str, Sequence[Requirement]], programs: Mapping[str, str],
    limit: float, progress: Progress,
) -> list[Section]:  # fmt: skip
    """Tries frameworks and packages all at once. What cannot be imported is told in `extras`; the frameworks have
    sections of their own, where they are there."""
    modules = list(dict.fromkeys(item.module for items in there.values() for item in items))
    kinds = [kind for kind, (_, needed) in _FRAMEWORKS.items() if all(module in modules for module in needed)]
    tried = {module for kind in kinds for module in _FRAMEWORKS[kind][1]}
    others = [module for module in modules if module not in tried]
    if there.get("lsp"):
        others.append("nndsl.lsp.server")
    if there.get("notebook"):
        others.append("nndsl.notebook")
    tasks = [Trial(kind, small.request() | {"program": programs.get(kind, "")}) for kind in kinds]
    *outcomes, imported = trials.run([*tasks, Trial("imports", {"modules": others})], limit, progress)
    _imports(extras, there, others, imported, limit, progress)
    by_kind = dict(zip(kinds, outcomes, strict=True))
    sections = [_framework(kind, outcome) for kind, outcome in by_kind.items()]
    if len(by_kind) == 2 and not any(outcome.failed for outcome in outcomes) and programs:
        sections.append(_both(by_kind["torch"].answer, by_kind["keras"].answer))
    return sections


def _imports(
    section: Section, there: Mapping[str, Sequence[Requirement]], modules: list[str],
    outcome: Outcome, limit: float, progress: Progress,
) -> None:  # fmt: skip
    """What fails is told, and the rest tried without it."""
    packages = {item.module: item.name for items in there.values() for item in items}
    while outcome.failed:
        module = outcome.stage
        if module not in modules:  # it came to none of them
            section.findings.append(_failure("imports", outcome, "starting Python", []))
            return
        package = packages.get(module, "pygls" if module == "nndsl.lsp.server" else "ipython")
        section.findings.append(_failure(module, outcome, f"importing {module}", [package]))
        modules = modules[modules.index(module) + 1 :]
        (outcome,) = trials.run([Trial("imports", {"modules": modules})], limit, progress)


def _framework(kind: str, outcome: Outcome) -> Section:
    title, needed = _FRAMEWORKS[kind]
    section = Section(title)
    answer = outcome.answer
    if "version" in answer:
        keras = f", Keras {answer['keras']}" if "keras" in answer else ""
        built = f"built for CUDA {answer['built_for']}" if answer["built_for"] else "built without CUDA"
        section.add("version", Mark.OK, f"{answer['version']}{keras}, {built}")
    if outcome.failed:
        section.findings.append(_failure("works", outcome, outcome.stage, list(needed)))
        return section
    done = "computes and trains" if "after" in answer else "computes"
    took = f"{outcome.seconds:.1f} s with import"
    section.add("CPU", Mark.OK, f"{done}, threads: {answer['threads']} ({took})")
    _devices(section, kind, answer)
    return section


def _devices(section: Section, kind: str, answer: Mapping[str, Any]) -> None:
    for device in answer["devices"]:
        size = f", {device['bytes'] / 2**30:.1f} GiB" if "bytes" in device else ""
        if device["error"]:
            text = f"{device['is']}{size} does not compute: {device['error']}"
            section.add(
                device["name"], Mark.BROKEN, text,
                "the driver may be older than this build needs: update it, or use the CPU (`nndsl run --device cpu`)",
            )  # fmt: skip
        else:
            section.add(device["name"], Mark.OK, f"{device['is']}{size}")
    if answer["devices"]:
        return
    driver = _driver()
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        section.add("GPU", Mark.OK, "none, as CUDA_VISIBLE_DEVICES hides them")
    elif driver and not answer["built_for"]:
        how = "pip install --force-reinstall torch, from the index that https://pytorch.org names for your CUDA"
        if kind == "keras":
            how = "pip uninstall tensorflow-cpu; pip install 'tensorflow[and-cuda]'"
        section.add("GPU", Mark.WARNING, f"there is an NVIDIA driver ({driver}), but this build is for CPUs", how)
    elif driver:
        text = (
            f"there is an NVIDIA driver ({driver}), but no GPU that this build for CUDA {answer['built_for']} can use"
        )
        section.add("GPU", Mark.WARNING, text, "look whether `nvidia-smi` lists it; the driver may be too old")
    else:
        section.add("GPU", Mark.OK, "none found")


def _driver() -> str:
    """The version of NVIDIA's driver, or where it shows; "" where there is none."""
    try:
        with open("/proc/driver/nvidia/version", encoding="utf-8", errors="replace") as file:
            words = file.readline().split()
        return next((word for word in words if word[:1].isdigit() and "." in word), "of unknown version")
    except OSError:
        return "nvidia-smi is there" if shutil.which("nvidia-smi") and glob.glob("/dev/nvidia[0-9]*") else ""


def _both(torch: Mapping[str, Any], keras: Mapping[str, Any]) -> Section:
    section = Section("Both programs")
    for name, key in (("outputs", "before"), ("after a step", "after")):
        gap = _gap(torch[key], keras[key])
        if gap <= _CLOSE:
            section.add(name, Mark.OK, f"PyTorch and Keras agree to {max(gap, 1e-9):.0e}")
        else:
            text = f"PyTorch and Keras differ by {gap:.1e}: one of them computes wrongly"
            section.add(name, Mark.BROKEN, text, "nndsl verify examples/classifier.nn says more; please report it")
    return section


def _gap(a: Sequence[Sequence[float]], b: Sequence[Sequence[float]]) -> float:
    """The largest difference; infinite where one is not a number, or there is none."""
    gaps = [abs(x - y) for row, other in zip(a, b, strict=True) for x, y in zip(row, other, strict=True)]
    return max(gaps) if gaps and all(gap == gap for gap in gaps) else float("inf")


def _failure(name: str, outcome: Outcome, doing: str, packages: Sequence[str]) -> Finding:
    printed, last = list(outcome.printed), outcome.printed[-1] if outcome.printed else ""
    text = f"{doing} {outcome.failed}"
    again = [f"pip install --force-reinstall {' '.join(packages)}"] if packages else []
    illegal = getattr(signal, "SIGILL", None)
    if outcome.code is None:
        again = ["give it more time with --timeout, or look what it waits for (a network folder, a GPU driver)"]
    elif illegal is not None and outcome.code == -illegal:
        again = ["this build uses instructions that this processor lacks (TensorFlow needs AVX): take another build"]
    elif outcome.code == -9:
        again = ["if the memory was full, close other programs"]
    elif "cannot open shared object file" in last:
        again.append("a library of the system is missing: the last line names it")
    elif "compiled using NumPy 1.x" in " ".join(printed):
        again.insert(0, "a package is older than numpy: pip install --upgrade it")
    return Finding(name, Mark.BROKEN, text, again, printed)
