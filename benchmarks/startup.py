"""How long `nndsl check` and `nndsl compile` take as whole processes, beside other compilers and Keras itself.

Three networks: the smallest example, a chain of 200 layers `Dense(64, activation=relu)`, one to a line, and the largest
program of examples/zoo; and all examples in one process. Peers get the first two networks in their own languages, as
far as those can say them; Keras builds all three, by the program that nndsl emits.

Each round runs every command once, so that whatever else the machine does falls on all of them alike; the medians of
the rounds are printed. The first round fills the caches and does not count. The ratio is to `import lark, jinja2`, of
processor times in the same round: on a machine that others use too, the clock on the wall tells more of them.

    python benchmarks/startup.py [ROUNDS] [--peers FOLDER] [--install]

`--install` puts the peers below FOLDER with pip, each into a folder of its own; mlnode uses the torch of this
environment. A peer that cannot be installed or run is said to be so.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST_MS = {"check": 80, "compile": 120}  # of the processor, that the project allows itself for the smallest example
PEERS = {  # what pip is asked for
    "n-orca": [["n-orca"]],
    "mlnode": [["--no-deps", "mlnode"], ["pydantic", "networkx"]],
    "besser": [["besser"]],
}
CHAIN = 200
# The first run compiles the modules, as an installation does.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}

Command = tuple[list[str], dict[str, str]]

KERAS = "import runpy, sys; runpy.run_path(sys.argv[1])['build_model']()"
ORCA = "from n_orca.cli.main import main; import sys; sys.exit(main())"
MLNODE = """
import sys
from mlnode import MLnodeModel
model = MLnodeModel.load(sys.argv[1])
assert model.validate().valid
if sys.argv[2] == "build":
    model.build()
"""
BESSER = """
import sys
from besser.BUML.metamodel.nn import NN, LinearLayer
from besser.generators.nn.pytorch.pytorch_code_generator import PytorchGenerator
model = NN(name="model")
count, size = int(sys.argv[1]), int(sys.argv[2])
for number in range(count):
    options = {"actv_func": "relu"} if count > 1 else {}
    model.add_layer(LinearLayer(name=f"l{number}", in_features=size, out_features=size, **options))
PytorchGenerator(model=model, output_dir=sys.argv[3]).generate()
"""


def chain(count: int, size: int) -> list[tuple[str, str]]:
    """(name, kind) of the layers: one Linear alone, or each followed by a ReLU."""
    names = [(f"{kind[0].lower()}{number}", kind) for number in range(count) for kind in ("Linear", "ReLU")]
    return names if count > 1 else names[:1]


def nn_text(count: int, size: int) -> str:
    layers = "\n".join(f"        -> Dense({size}, activation=relu)" for _ in range(count))
    return f"model Chain {{\n    input x: float[{size}]\n    output y = x\n{layers}\n}}\n"


def orca_text(count: int, size: int) -> str:
    names = chain(count, size)
    parts = [f"## layer {name}\n- op: {kind}{f'({size}, {size})' if kind == 'Linear' else ''}" for name, kind in names]
    ends = ["x", *(name for name, _ in names), "y"]
    flow = [f"| {one} | {two} | {one}_out |" for one, two in pairwise(ends)]
    shape = f"(B, {size})"
    return "\n".join([
        "# architecture Chain", "", "## tensors", "", "| Name | Shape | Dtype |", "|---|---|---|",
        f"| x | {shape} | float32 |", f"| y | {shape} | float32 |", "", "## layer x [input]", *parts,
        "## layer y [output]", "", "## flow", "", "| Source | Target | Tensor |", "|---|---|---|", *flow, "",
        "## invariants", f"- output_shape: {shape}", "",
    ])  # fmt: skip


def mlnode_text(count: int, size: int) -> str:
    names = chain(count, size)
    params = {"Linear": {"in_features": size, "out_features": size}, "ReLU": {}}
    nodes = [{"id": name, "type": kind, "params": params[kind]} for name, kind in names]
    ends = ["input", *(name for name, _ in names)]
    return json.dumps({
        "mlnode_schema_version": "1.0",
        "metadata": {"name": "Chain"},
        "input_shape": ["B", size],
        "output_node": ends[-1],
        "nodes": [{"id": "input", "type": "Input", "params": {}}, *nodes],
        "edges": [{"source": one, "target": two} for one, two in pairwise(ends)],
    })  # fmt: skip


def install(folder: Path) -> None:
    for name, calls in PEERS.items():
        for wanted in calls:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder / name), *wanted]
            if subprocess.run(pip, check=False).returncode:
                print(f"{name} cannot be installed: {' '.join(pip)}", file=sys.stderr)


def commands(work: Path, peers: Path | None) -> dict[str, Command]:
    """All commands by name, the peers' too."""
    nndsl, python = [sys.executable, "-m", "nndsl"], [sys.executable, "-c"]
    examples = ROOT / "examples"
    small = min(examples.glob("*.nn"), key=lambda file: file.stat().st_size)
    large = max((examples / "zoo").glob("*.nn"), key=lambda file: file.stat().st_size)
    (work / "chain.nn").write_text(nn_text(CHAIN, 64), encoding="utf-8")
    networks = {small.stem: small, f"{CHAIN} layers": work / "chain.nn", large.stem: large}
    found: dict[str, Command] = {
        "python": ([*python, "pass"], {}),
        "python: import lark, jinja2": ([*python, "import lark, jinja2"], {}),
    }
    for name, file in networks.items():
        found[f"nndsl check: {name}"] = ([*nndsl, "check", str(file)], {})
        for target in ("torch", "keras"):
            out = str(work / f"{file.stem}_{target}.py")
            command = [*nndsl, "compile", str(file), "--target", target, "-o", out]
            found[f"nndsl compile for {target}: {name}"] = (command, {})
    every = list(examples.rglob("*.nn"))
    lines = sum(file.read_text(encoding="utf-8").count("\n") for file in every)
    found[f"nndsl check: all {len(every)} examples, {lines:,} lines"] = ([*nndsl, "check", str(examples)], {})
    for name, (count, size) in {small.stem: (1, 1), f"{CHAIN} layers": (CHAIN, 64)}.items():
        if peers is None:
            continue
        orca, mlnode = work / f"{count}.n.orca.md", work / f"{count}.mlnode.json"
        orca.write_text(orca_text(count, size), encoding="utf-8")
        mlnode.write_text(mlnode_text(count, size), encoding="utf-8")
        at = {peer: {"PYTHONPATH": str(peers / peer)} for peer in PEERS}
        found[f"n-orca verify: {name}"] = ([*python, ORCA, "verify", str(orca)], at["n-orca"])
        found[f"n-orca compile pytorch: {name}"] = ([*python, ORCA, "compile", "pytorch", str(orca)], at["n-orca"])
        found[f"mlnode validate: {name}"] = ([*python, MLNODE, str(mlnode), "check"], at["mlnode"])
        found[f"mlnode build: {name}"] = ([*python, MLNODE, str(mlnode), "build"], at["mlnode"])
        found[f"besser generate pytorch: {name}"] = (
            [*python, BESSER, str(count), str(size), str(work / "besser")],
            at["besser"],
        )
    for name, file in networks.items():
        found[f"Keras builds: {name}"] = ([*python, KERAS, str(work / f"{file.stem}_keras.py")], {})
    return found


def timed(command: Command) -> tuple[float, float, float] | str:
    """Milliseconds on the wall and of the processor, and megabytes; or what went wrong."""
    arguments, more = command
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            arguments, cwd=ROOT, env=ENVIRONMENT | more, stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            lines = errors.read().decode("utf-8", "replace").split("\n")
            return next((line for line in reversed(lines) if line.strip()), f"exit code {process.returncode}")
    memory = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return 1000 * wall, 1000 * (usage.ru_utime + usage.ru_stime), memory


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=15)
    parser.add_argument("--peers", type=Path, help="the folder of the peers")
    parser.add_argument("--install", action="store_true", help="put the peers there first")
    args = parser.parse_args()
    if args.install:
        if args.peers is None:
            parser.error("--install needs --peers FOLDER")
        install(args.peers)
    with tempfile.TemporaryDirectory() as folder:
        return compare(commands(Path(folder), args.peers), args.rounds)


def compare(found: dict[str, Command], rounds: int) -> int:
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in found}
    broken: dict[str, str] = {}
    for number in range(rounds + 1):
        for name, command in found.items():
            if name in broken:
                continue
            result = timed(command)
            if isinstance(result, str):
                broken[name] = result
            elif number:
                runs[name].append(result)
    base = runs["python: import lark, jinja2"]
    print(f"| median of {rounds} | wall ms | CPU ms | ratio | MB |\n|---|---:|---:|---:|---:|")
    slow = False
    small = next(name for name in found if name.startswith("nndsl check")).partition(": ")[2]
    for name, values in runs.items():
        if name in broken:
            print(f"| {name} | not measured: {broken[name]} | | | |")
            continue
        wall, cpu, memory = (statistics.median(column) for column in zip(*values, strict=True))
        ratio = statistics.median(one[1] / other[1] for one, other in zip(values, base, strict=True))
        print(f"| {name} | {wall:.0f} | {cpu:.0f} | {ratio:.2f} | {memory:.0f} |")
        if name.startswith("nndsl") and name.endswith(f": {small}"):
            slow = slow or cpu > MOST_MS[name.split()[1].rstrip(":")]
    print(f"\nAllowed for {small}: {MOST_MS} ms{'; it is exceeded' if slow else ''}.")
    return 1 if slow or any(name.startswith("nndsl") for name in broken) else 0


if __name__ == "__main__":
    sys.exit(main())
