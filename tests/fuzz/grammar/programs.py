"""Whole programs, statement by statement. What a statement gives is asked of the compiler, so that the next ones can be
drawn to fit; one that is wrong is drawn again, and now and then it stays, which makes a program that is nearly right.

All choices come from a Random: a seeded one for volume, hypothesis's own for examples that shrink.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.ir.dims import BATCH
from nndsl.ir.graph import CheckedProgram
from nndsl.ir.types import TensorType
from nndsl.layers import catalogue
from nndsl.passes.train_section import SETTINGS
from nndsl.source import SourceFile
from tests.fuzz.grammar import calls
from tests.fuzz.grammar.expressions import condition, expression
from tests.fuzz.grammar.stages import KEEPING, MERGES, Names, pipe, size
from tests.fuzz.oracles import MAIN, Files, limited, reader_of

DTYPES = ("float", "float", "float", "float", "int", "float32", "uint8", "int64", "bool", "float64", "float16")
SHAPES = ("8", "4", "6, 8", "T, 8", "?, 4", "8, 8, 3", "H, W, 2", "6, 6, 6, 2", "", "5, 1", "T", "12", "1, 1", "7, T")
LOSSES = ("mse", "mae", "binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy", "hinge")


class Unmade(Exception):
    """The compiler failed on a part of a program that was being made."""

    def __init__(self, files: Files, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.files = files


@dataclass
class Body:
    """A model, block or layer of one's own while it is being written. `whole` gives the file with some lines in it."""

    whole: Callable[[list[str], str], str]  # (lines, what the last value is called)
    lines: list[str] = field(default_factory=list)
    values: dict[str, TensorType] = field(default_factory=dict)
    names: Names = field(default_factory=Names)


class Maker:
    def __init__(self, random: Random, wild: float = 0.03) -> None:
        self.random, self.wild = random, wild
        self.files: dict[str, str] = {}
        self.settings: dict[str, str] = {}
        self.head: list[str] = []
        self.names = Names()
        self.dims: list[str] = []  # numbers that may be dimensions

    # ------------------------------------------------------------------------------------------- steering

    def check(self, text: str) -> CheckedProgram | None:
        files = {**self.files, MAIN: text}
        try:
            with limited():
                return pipeline.check(SourceFile(MAIN, text), Problems(), reader_of(files), need_model=False)
        except Exception as error:
            raise Unmade(files, error) from error

    def offer(self, body: Body, draw: Callable[[], tuple[str, list[str]]], tries: int = 4) -> bool:
        """Adds a statement that `draw` gives with the names that it defines, if it is right (or by the way if not)."""
        for _ in range(tries):
            line, defined = draw()
            program = self.check(body.whole([*body.lines, line], defined[0] if defined else ""))
            if program is None and self.random.random() > self.wild:
                continue
            body.lines.append(line)
            if program is not None:
                for name in defined[:1]:
                    found = program.models[-1].outputs[-1].value.type
                    body.values[name] = found
                for name in defined[1:]:
                    again = self.check(body.whole(body.lines, name))
                    if again is not None:
                        body.values[name] = again.models[-1].outputs[-1].value.type
            return program is not None
        return False

    def pick(self, body: Body) -> tuple[str, int, str]:
        """A value with its rank and kind of number."""
        names = list(body.values)
        name = names[-1] if self.random.random() < 0.5 else self.random.choice(names)
        found = body.values[name]
        return name, len(found.features), "float" if found.is_float else "int"

    # ----------------------------------------------------------------------------------------- statements

    def flow(self, body: Body) -> str:
        random = self.random
        name, rank, kind = self.pick(body)
        draw = random.random()
        if draw < 0.12 and len(body.values) > 1:
            same = [n for n, t in body.values.items() if len(t.features) == rank]
            others = [random.choice(same or list(body.values)) for _ in range(random.randint(1, 2))]
            cls = catalogue.find("layer", random.choice(MERGES) if random.random() < 0.8 else "Dot")
            return f"({', '.join([name, *others])}) -> {calls.call(cls, random, rate=0.05)}"
        if draw < 0.16:
            return f"({name}, {self.pick(body)[0]}) -> {random.choice(('MultiHeadAttention(2, 3)', 'Attention()'))}"
        if draw < 0.3:
            return self.expression(body)
        if draw < 0.33:
            test = condition(random, tuple(body.names.numbers))
            return f"(({name} -> {pipe(random, rank, kind, body.names)}) if {test} else {name})"
        if draw < 0.36:
            return f"({name}, {name} -> {random.choice(KEEPING)}) -> Add()"
        stages = [pipe(random, rank, kind, body.names)]
        return f"{name} -> {' -> '.join(stages)}"

    def expression(self, body: Body) -> str:
        names = [(n, len(t.features)) for n, t in body.values.items()]
        return expression(self.random, names, tuple(body.names.numbers))

    def statement(self, body: Body, count: int, *, only_expressions: bool = False) -> None:
        random = self.random

        def draw() -> tuple[str, list[str]]:
            name = f"v{count}"
            if not only_expressions and random.random() < 0.06:
                value = self.pick(body)[0]
                layer = random.choice(("LSTM", "GRU", "SimpleRNN"))
                results = [name, f"h{count}", f"c{count}"][: 3 if layer == "LSTM" else 2]
                targets = [n if random.random() < 0.8 or not i else "_" for i, n in enumerate(results)]
                line = f"({', '.join(targets)}) = {value} -> {layer}(3, return_sequences=true, return_state=true)"
                return line, [n for n in targets if n != "_"]
            value = self.expression(body) if only_expressions else self.flow(body)
            return f"{name} = {value}", [name]

        self.offer(body, draw)

    def declared(self, name: str, shape: str | None = None, dtype: str | None = None) -> str:
        random = self.random
        dims = random.choice(SHAPES) if shape is None else shape
        if self.dims and random.random() < 0.2:
            dims = f"{random.choice(self.dims)}, {dims}" if dims and random.random() < 0.5 else random.choice(self.dims)
        return f"input {name}: {dtype or random.choice(DTYPES)}[{dims}]"

    # ------------------------------------------------------------------------------------------ the parts

    def parameters(self) -> None:
        random = self.random
        for i in range(random.choice((0, 0, 1, 2))):
            name = f"p{i}"
            text, other, dim = random.choice((
                (f"{random.randint(1, 6)} with min=1, max=9", "3", True), ("4", "5", True),
                ("0.5 with min=0.0", "0.25", False),
                ("true", "false", False), ("relu", "tanh", False), ("[4, 2]", "[3, 3, 2]", False), ("2 * 3", "2", True),
                ('"same" with choices=["same", "valid"]', '"valid"', False), ("-1", "-2", False),
                (f"{self.dims[0]} + 1" if self.dims else "7", "6", True),
            ))  # fmt: skip
            self.head.append(f"param {name} = {text}")
            if dim:
                self.dims.append(name)
                self.names.numbers.append(name)
            if random.random() < 0.3:
                self.settings[name] = other

    def block(self, number_: int, *, is_layer: bool = False) -> None:
        """A block or layer of one's own, written with a call of it in a model."""
        random = self.random
        name = f"{'L' if is_layer else 'B'}{number_}"
        shape, dtype = random.choice((("8", "float"), ("6, 8", "float"), ("8, 8, 3", "float"), ("T, 4", "float")))
        given: dict[str, str] = {}
        declared = []
        names = Names(dict(self.names.blocks) if not is_layer else {}, [], [], list(self.names.numbers))
        for i in range(random.choice((0, 1, 1, 2))):
            default = random.choice(("2", "4", "1 + 2", "3", f"{declared[0].split('=')[0]} + 1" if declared else "5"))
            has_default = random.random() < 0.6 or any("=" in text for text in declared)
            declared.append(f"n{i}={default}" if has_default else f"n{i}")
            names.numbers.append(f"n{i}")
            if not has_default or random.random() < 0.3:
                given[f"n{i}"] = str(random.randint(1, 5))
        if not is_layer and random.random() < 0.25:
            declared.append(f"inner={random.choice(('Dense(3)', 'ReLU()', 'LayerNormalization()', 'LSTM(2)'))}")
            names.parameters.append("inner")
        if random.random() < 0.15:
            declared.append("flag=true")
        arguments = ", ".join(f"{k}={v}" if random.random() < 0.4 or k == "n1" else v for k, v in given.items())
        inside = "input x" if random.random() < 0.6 else f"input x: {dtype}[{shape}]"

        def whole(lines: list[str], last: str) -> str:
            body = "\n".join(f"    {line}" for line in [inside, *lines, f"output out = {last or 'x'}"])
            word = "layer" if is_layer else "block"
            text = f"{word} {name}({', '.join(declared)}) {{\n{body}\n}}\n"
            model = f"model M {{\n    input a: {dtype}[{shape}]\n    output b = a -> {name}({arguments})\n}}\n"
            return "\n".join([*self.head, text, model])

        body = Body(whole, names=names)
        start = self.check(whole([], "x"))
        if start is None:
            return
        body.values["x"] = start.models[-1].outputs[-1].value.type
        if is_layer:
            self.weights(body)
        for i in range(random.randint(1, 3)):
            self.statement(body, i, only_expressions=is_layer)
        if not is_layer and random.random() < 0.2:
            self.offer(body, lambda: ("shared s = Dense(x.shape[-1])", []))
            body.names.shared.append("s")
        known = [n for n in body.values if self.check(whole(body.lines, n)) is not None]
        last = known[-1] if known else "x"
        if self.check(whole(body.lines, last)) is None and random.random() > self.wild:
            return
        text = whole(body.lines, last).split("model M {")[0]
        text = text[len("\n".join(self.head)) :] if self.head else text
        if random.random() < 0.25 and "p0" not in text and "p1" not in text and not names.blocks:
            file = random.choice((f"f{number_}.nn", f"sub/f{number_}.nn"))
            self.files[file] = text
            self.head.append(f'from "{file}" import {name}')
        else:
            self.head.append(text)
        if is_layer and not arguments and not given:
            self.names.layers.append(name)
        else:
            self.names.blocks[name] = arguments

    def weights(self, body: Body) -> None:
        """`trainable`, `state` and `update` of a layer."""
        random = self.random
        for i in range(random.randint(0, 2)):
            dims = random.choice(("x.shape[-1]", "x.shape[-1], 3", "", "1", *body.names.numbers))
            initial = random.choice(("", " = zeros", " = glorot_uniform", " = 1", " = RandomNormal(stddev=0.1)"))
            extra = random.choice(("", "", " with regularizer=L2(0.01)", " with constraint=max_norm"))
            name = f"w{i}"
            self.offer(body, lambda n=name, d=dims, t=initial, e=extra: (f"trainable {n}: [{d}]{t}{e}", []))  # type: ignore[misc]
            body.values[name] = body.values["x"].with_shape(*body.values["x"].shape[-1:])
        states = ("state t: [x.shape[-1]] = zeros", "state t: int[] = 0")
        if random.random() < 0.5 and self.offer(body, lambda: (random.choice(states), [])):
            rest = random.choice(("", " with training=true"))
            values = ("t + 1", "t + sum(x, axis=0)", "0.9 * t")
            self.offer(body, lambda: (f"update t = {random.choice(values)}{rest}", []))
            body.values["t"] = body.values["x"].with_shape(*body.values["x"].shape[-1:])

    def model(self, name: str = "M") -> str:
        random = self.random
        options = ""
        if random.random() < 0.15:
            options = random.choice(("data_format = channels_first", "float = float64", "float = float16"))

        def whole(lines: list[str], last: str) -> str:
            rows = [*([f"options {{ {options} }}"] if options else []), *lines]
            rows += [f"output probe = {last}"] if last else []
            return "\n".join([*self.head, f"model {name} {{", *(f"    {row}" for row in rows), "}", ""])

        body = Body(whole, names=self.names)
        batch = random.random() < 0.05
        for i in range(random.choice((1, 1, 2))):
            self.offer(body, lambda i=i: (self.declared(f"x{i}") + (" with batch=4" if batch else ""), [f"x{i}"]), 6)  # type: ignore[misc]
        if not body.values:
            body.lines = []
            body.lines.append("input x0: float[8]")
            body.values["x0"] = TensorType((BATCH, 8))
        shared = []
        for i in range(random.choice((0, 0, 0, 1, 2))):
            maker = random.choice(("Dense({n})", "LSTM({n})", "Conv2D({n}, 2, padding=same)", "BatchNormalization()",
                                   *(f"{b}({a})" for b, a in self.names.blocks.items())))  # fmt: skip
            body.lines.append(f"shared s{i} = {maker.format(n=size(random, self.names)) if '{' in maker else maker}")
            shared.append(f"s{i}")
        body.names.shared = shared
        for i in range(random.randint(1, 5)):
            self.statement(body, i)
        self.outputs(body)
        self.rest(body)
        body.names.shared = []
        return self.noise(whole(body.lines, ""))

    def outputs(self, body: Body) -> None:
        random = self.random
        inputs = [n for n in body.values if n.startswith("x")]
        chosen = [n for n in body.values if n not in inputs] or inputs
        for i, value in enumerate(random.sample(chosen, min(len(chosen), random.choice((1, 1, 2, 3))))):

            def draw(i: int = i, value: str = value) -> tuple[str, list[str]]:
                flow = value
                found = body.values[value]
                if random.random() < 0.3 and len(found.features) and found.is_float:
                    act = random.choice(("", ", activation=softmax", ", activation=sigmoid"))
                    flow = f"{value} -> Dense({random.choice((1, 3))}{act})"
                return f"output y{i} = {flow}{self.options()}", []

            if not self.offer(body, draw, 6):
                body.lines.append(f"output y{i} = {value}")

    def options(self) -> str:
        random = self.random
        found = []
        if random.random() < 0.6:
            loss = random.choice(LOSSES)
            if random.random() < 0.3:
                cls = random.choice(list(catalogue.entries("loss")))
                loss = calls.call(cls, random)
            found.append(f"loss={loss}")
            if random.random() < 0.2:
                found.append(f"weight={random.choice(('0.5', '2', '1/3', '0'))}")
            for word in ("metrics", "weighted_metrics"):
                if random.random() < 0.25:
                    metrics = [calls.nested("metric", random, 1) or "mae" for _ in range(random.randint(1, 2))]
                    found.append(f"{word}=[{', '.join(metrics)}]")
            if random.random() < 0.08:
                found.append(f"{random.choice(('sample_weight', 'step_weight'))}=trust")
        return f" with {', '.join(found)}" if found else ""

    def rest(self, body: Body) -> None:
        """Penalties, submodels, training, data."""
        random = self.random
        if random.random() < 0.15:
            weight = random.choice(("", " with weight=0.1"))
            self.offer(
                body, lambda: (f"penalty k = {random.choice(('mean', 'sum'))}({self.expression(body)}){weight}", [])
            )
        if random.random() < 0.15:
            names = list(body.values)
            target = random.choice(names[1:] or names)
            self.offer(body, lambda: (f"submodel part({random.choice(names)}) = {target}", []))
        if random.random() < 0.35:
            lines: list[str] = []
            for name in random.sample(list(SETTINGS), random.randint(1, 4)):
                text = calls.value(SETTINGS[name][0], random)
                if name == "optimizer":
                    cls = random.choice(list(catalogue.entries("optimizer")))
                    text = calls.call(cls, random) if random.random() < 0.7 else catalogue.spelling(cls)
                line = f"{name} = {text}"
                join = random.choice(("; ", "\n        "))
                if self.check(body.whole([*body.lines, f"train {{ {'; '.join([*lines, line])} }}"], "")) is not None:
                    lines.append(line)
            body.lines.append(f"train {{ {join.join(lines)} }}")
        if random.random() < 0.25:
            self.offer(body, lambda: (self.data(body), []), 3)

    def data(self, body: Body) -> str:
        random = self.random
        wanted = [n for n in body.values if n.startswith("x")]
        wanted += [line.split()[1] for line in body.lines if line.startswith("output") and "loss=" in line]
        wanted += ["trust"] if any("weight=trust" in line for line in body.lines) else []
        kind = random.choice(("random(samples=40)", 'npz("d.npz")', 'csv("t.csv")', 'parquet("t.parquet")', "iris()"))
        split = random.choice(("", " with test=0.2", " with test=0.2, validation=0.1, seed=7"))
        lines = [f"source s = {kind}{split}"]
        for i, name in enumerate(wanted):
            field_ = random.choice(
                (f"s.{name}", f"s.{name}", f"s[{i}]", f"s[{i}:{i + 8}]", "s.features", f's["{name}"]')
            )
            for _ in range(random.choice((0, 0, 1, 2))):
                cls = random.choice(list(catalogue.entries("transform")))
                field_ += f" -> {calls.call(cls, random, rate=0.1)}"
            lines.append(f"{name} = {field_}")
        return "data {\n        " + "\n        ".join(lines) + "\n    }"

    def noise(self, text: str) -> str:
        """Other spellings of the same."""
        random = self.random
        if random.random() < 0.3:
            text = text.replace(" -> ", random.choice(("\n        -> ", "->", " ->\n        ")))
        if random.random() < 0.2:
            text = text.replace("true", "True").replace("none", "None")
        if random.random() < 0.15:
            text = "# A comment.\n\n" + text.replace("\n    ", "\n\n    # another one -> (\n    ", 1)
        if random.random() < 0.1:
            text = text.replace("\n", "\r\n")
        return text


def made(random: Random, wild: float = 0.03) -> tuple[Files, dict[str, str]]:
    """A program with the files that it imports, and values for its parameters."""
    maker = Maker(random, wild)
    maker.parameters()
    for i in range(random.choice((0, 0, 1, 2))):
        maker.block(i, is_layer=random.random() < 0.4)
    if random.random() < 0.05:
        other = maker.model("Other")
        main = maker.model("M")
        at = main.index("model M {") if "model M {" in main else 0
        text = other + "\n" + main[at:]
    else:
        text = maker.model()
    return {MAIN: text, **maker.files}, maker.settings
