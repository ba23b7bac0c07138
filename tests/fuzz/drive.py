"""Fuzzing for volume: `python -m tests.fuzz.drive mutations --seed 1 --inputs 100000 --log run.log`.

Input number n of a run comes from the seed `SEED:n` alone, so that every one can be had again:
`python -m tests.fuzz.drive mutations --seed 1 --show 4711`. A run ends with a line of JSON: how many inputs, how many
of them right, findings by kind.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import json
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz import kinds
from tests.fuzz.grammar.programs import Unmade
from tests.fuzz.oracles import Files, Finding, examine, limited, seconds


def input_of(kind: str, seed: str, number: int) -> tuple[Files, dict[str, str], Random]:
    random = Random(f"{seed}:{number}")
    files, settings = kinds.KINDS[kind](random)
    return files, settings, random


def key_of(error: BaseException) -> str:
    """Where it happened: the same for inputs that show the same mistake."""
    cause: BaseException = error.__cause__ or error
    frames = [
        f for f in traceback.extract_tb(cause.__traceback__) if "nndsl" in f.filename and "fuzz/tests" not in f.filename
    ]
    last = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    text = str(error) if not isinstance(error, Finding) else f"{error.kind} {error.detail[:60]}"
    return f"{last} {type(cause).__name__} {text.splitlines()[0][:90] if text else ''}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(kinds.KINDS))
    parser.add_argument("--seed", default="1")
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--inputs", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=10**9)
    parser.add_argument("--thorough", type=float, default=0.03)
    parser.add_argument("--show", type=int, help="print one input and try it")
    parser.add_argument("--torch", action="store_true", help="build right programs in PyTorch, and run them once")
    parser.add_argument("--log", type=Path)
    args = parser.parse_args()
    if args.show is not None:
        files, settings, random = input_of(args.kind, args.seed, args.show)
        for name, text in files.items():
            print(f"# ---- {name} {settings or ''}\n{text}")
        outcome = examine(files, random, settings=settings, thorough=args.thorough)
        if args.torch and outcome.program is not None:
            from tests.fuzz.building import build_in_torch

            print(build_in_torch(outcome.program, random, inline=random.random() < 0.2))
        return 0
    faulthandler.enable()
    limit = (16 if args.torch else 4) << 30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return run(args)


def run(args: Any) -> int:
    began = time.monotonic()
    counts: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    slowest = (0.0, -1)
    log = args.log.open("a") if args.log else sys.stdout

    def report(event: str, **more: object) -> None:
        head = {"event": event, "kind": args.kind, "seed": args.seed, "start": args.start, "thorough": args.thorough}
        print(json.dumps(head | more), file=log, flush=True)

    number = args.start
    told = began
    while number < args.start + args.inputs and time.monotonic() - began < args.seconds:
        at = time.process_time()
        faulthandler.dump_traceback_later(120, exit=True)
        files: Files = {}
        try:
            files, settings, random = input_of(args.kind, args.seed, number)
            at = time.process_time()
            outcome = examine(files, random, settings=settings, thorough=args.thorough)
            if args.torch and outcome.program is not None and outcome.program.models:
                from tests.fuzz.building import build_in_torch

                with limited(60):
                    counts["built"] += build_in_torch(outcome.program, random, inline=random.random() < 0.2)
            counts["right" if outcome.program is not None else "wrong"] += 1
            codes.update(outcome.codes)
        except (Finding, Unmade, MemoryError, RecursionError) as error:
            counts["findings"] += 1
            files = error.files if isinstance(error, Unmade) else files
            key = key_of(error)
            seen[key] += 1
            if seen[key] == 1:
                trace = "".join(traceback.format_exception(error.__cause__ or error))[-3000:]
                report("finding", number=number, key=key, detail=str(error)[:1500], trace=trace, files=dict(files))
        took = seconds(at)
        if took > slowest[0]:
            slowest = (took, number)
        number += 1
        if time.monotonic() - told > 60:
            told = time.monotonic()
            report("going", inputs=number - args.start, **counts, slowest=slowest)
    faulthandler.cancel_dump_traceback_later()
    report(
        "end", inputs=number - args.start, **counts, keys=dict(seen), slowest=slowest, codes=len(codes),
        seconds=round(time.monotonic() - began),
    )  # fmt: skip
    return 1 if counts["findings"] else 0


def digest() -> str:
    """Which version of the compiler this is."""
    root = Path(__file__).parents[2]
    found = hashlib.sha256()
    for path in sorted((root / "nndsl").rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


if __name__ == "__main__":
    sys.exit(main())
