"""The `data` section: sources are opened by readers, and their fields bound to the inputs and outputs of the model.

Before: the section as written, and the model with its inputs, outputs and losses. After: `Model.sources` and
`Model.bindings`, every name known and every shape that can be known here right. No file is opened.
"""

from __future__ import annotations

from typing import Any

from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.graph import Binding, DataSource, Input, Model, Output, SampleWeights
from nndsl.layers import catalogue
from nndsl.layers.families.readers import Reader
from nndsl.layers.families.transforms import Transform
from nndsl.layers.values import show
from nndsl.passes.bind import Binder
from nndsl.passes.data_fields import read_field, stages_of
from nndsl.passes.data_fit import Slot, fit, wanted_type
from nndsl.passes.data_order import in_order
from nndsl.passes.evaluate import Failed
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.passes.sample_weights import sample_weights
from nndsl.source import Span
from nndsl.syntax import ast

OPTIONS = ("test", "validation", "seed")


def elaborate_data(model: Model, section: ast.Section, binder: Binder, problems: Problems) -> None:
    """Reads the section into the model; what is wrong is reported at its own place."""
    _Data(model, section, binder, problems).run()


class _Data:
    def __init__(self, model: Model, section: ast.Section, binder: Binder, problems: Problems) -> None:
        self.model, self.section, self.binder, self.problems = model, section, binder, problems
        self.broken_model = problems.has_errors
        self.sources: dict[str, DataSource | None] = {}  # None: reported already
        self.places: dict[str, Span] = {}
        self.options: dict[str, dict[str, Span]] = {}
        self.meant: set[str] = set()  # names that a misspelt one probably stands for
        self.strides: list[tuple[int, Span]] = []  # of the windows, which all have the same
        self.slots: dict[str, Slot] = {item.name: item for item in sample_weights(model)}
        self.slots |= {item.name: item for item in model.outputs}
        self.slots |= {item.name: item for item in model.inputs}

    def run(self) -> None:
        statements = [s for s in self.section.body if not isinstance(s, ast.ErrorStmt)]
        bound: dict[str, Span] = {
            n.text: n.span for s in self.section.body if isinstance(s, ast.ErrorStmt) for n in s.declares
        }
        for name in bound:
            self.sources[name] = None
        for statement in statements:
            if isinstance(statement, ast.SourceStmt):
                self._source(statement)
        used: set[str] = set()
        for statement in statements:
            if isinstance(statement, ast.AssignStmt):
                self._binding(statement, bound, used)
        self._unbound(bound)
        self._agree(used)
        self.model.sources = [source for source in self.sources.values() if source is not None]

    # -------------------------------------------------------------------------------------- sources

    def _source(self, statement: ast.SourceStmt) -> None:
        name = statement.name
        if name.text in self.places:
            self.problems.error(
                "NN0208", f"source `{name.text}` is defined twice", name.span, "defined again here",
                related=(Label(self.places[name.text], "first defined here"),),
                help="give the second source another name",
            )  # fmt: skip
            return
        self.places[name.text] = name.span
        self.sources[name.text] = None
        options = self._source_options(statement)
        call = statement.value
        while isinstance(call, ast.Paren):
            call = call.inner
        cls = self._class("reader", call)
        if cls is None or not isinstance(call, ast.CallExpr):
            return
        bound = self.binder.bind(cls, call)
        if bound is None:
            return
        reader = bound.entry
        assert isinstance(reader, Reader)
        if reader.own_test and "test" in options:
            self.problems.error(
                "NN0215", f"`{reader.title()}` brings its own test part", self.options[name.text]["test"],
                related=(Label(call.span, "with an official test part"),),
                help="leave `test` out; `validation` may stay",
            )  # fmt: skip
            return
        self.sources[name.text] = DataSource(name.text, reader, options, statement.span)

    def _source_options(self, statement: ast.SourceStmt) -> dict[str, Any]:
        """The options that are right; what the fields hold does not depend on those that are not."""
        options: dict[str, Any] = {}
        places = self.options.setdefault(statement.name.text, {})
        fine = True
        for option in statement.options:
            name = option.name
            assert name is not None
            if name.text not in OPTIONS:
                self.problems.error(
                    "NN0216", f"a source has no option `{name.text}`", name.span,
                    help=did_you_mean(name.text, OPTIONS) or "a source takes `with test=0.2, validation=0.1, seed=7`",
                    fixes=did_you_mean_fix(name.span, suggest(name.text, OPTIONS)),
                )  # fmt: skip
                fine = False
                continue
            if name.text in places:
                self.problems.error(
                    "NN0207", f"`{name.text}` is given twice", option.span, "again here",
                    related=(Label(places[name.text], "first here"),), help="leave one of them out",
                )  # fmt: skip
                fine = False
                continue
            places[name.text] = option.value.span
            try:
                value = self.binder.evaluate(option.value)
            except Failed:
                fine = False
                continue
            number = isinstance(value, int if name.text == "seed" else int | float) and not isinstance(value, bool)
            if not number or value < 0 or (value >= 1 if name.text != "seed" else value >= 2**63):  # type: ignore[operator]
                wanted = (
                    "an integer, 0 or more"
                    if name.text == "seed"
                    else "a share of the rows, from 0 up to but not including 1"
                )
                self.problems.error(
                    "NN0206" if number else "NN0205", f"`{name.text}` of a source is {wanted}, not {show(value)}",
                    option.value.span, help=f"for instance `{name.text}={7 if name.text == 'seed' else 0.2}`",
                )  # fmt: skip
                fine = False
                continue
            options[name.text] = value
        total = options.get("test", 0) + options.get("validation", 0)
        if fine and total >= 1:
            self.problems.error(
                "NN0215", f"`test` and `validation` take {total:.0%} of the rows, which leaves none for training",
                places["validation"], related=(Label(places["test"], ""),), help="together they must stay below 1",
            )  # fmt: skip
        return options

    def _class(self, category: str, stage: ast.Expr) -> type[Any] | None:
        """The reader or transform that a call names, or None (reported)."""
        name = stage.func if isinstance(stage, ast.CallExpr) else None
        if isinstance(stage, ast.NameRef):
            name = ast.Ident(stage.name, stage.span)
        article = f"a {category}"
        if name is None:
            if not isinstance(stage, ast.ErrorExpr):
                example = '`csv("table.csv")`' if category == "reader" else "`scale(1 / 255)`"
                self.problems.error("NN0602", f"{article} is expected here", stage.span, help=f"for instance {example}")
            return None
        cls = catalogue.find(category, name.text)
        known = [n for n in catalogue.names(category) if n.islower()]
        if cls is None or catalogue.spelling(cls) != name.text:
            self._unknown(category, name, known)
            return None
        if isinstance(stage, ast.NameRef):
            self.problems.error(
                "NN0211", f"`{name.text}` is {article}, and needs its parentheses", name.span,
                fixes=(Fix(f"change to `{name.text}()`", (Edit(name.span, f"{name.text}()"),)),),
            )  # fmt: skip
            return None
        return cls

    def _unknown(self, category: str, name: ast.Ident, known: list[str]) -> None:
        close = suggest(name.text, known)
        self.problems.error(
            "NN0602", f"there is no {category} called `{name.text}`", name.span, f"not a {category}",
            help=did_you_mean(name.text, known) or f"the {category}s are {', '.join(known)}",
            fixes=did_you_mean_fix(name.span, close),
        )  # fmt: skip

    # ------------------------------------------------------------------------------------- bindings

    def _binding(self, statement: ast.AssignStmt, bound: dict[str, Span], used: set[str]) -> None:
        if statement.is_tuple:
            self.problems.error(
                "NN0219", "a line of a `data` section fills one input or output", statement.span,
                help="write a line for each: `features = table[0:8]`",
            )  # fmt: skip
            for target in statement.targets:
                bound.setdefault(target.text, target.span)
            return
        name = statement.targets[0]
        if name.text in bound:
            self.problems.error(
                "NN0208", f"`{name.text}` gets its data twice", name.span, "again here",
                related=(Label(bound[name.text], "first here"),), help="leave one of them out",
            )  # fmt: skip
            return
        bound[name.text] = name.span
        slot = self.slots.get(name.text)
        if slot is None:
            self._no_slot(name)
        elif isinstance(slot, Output) and slot.loss is None:
            self.problems.error(
                "NN0601", f"`{name.text}` has no loss, so no data can teach it", name.span,
                related=(Label(slot.name_span, "an output without a loss"),),
                help="give the output a loss (`with loss=mse`), or leave this line out",
            )  # fmt: skip
            slot = None
        head, stages = stages_of(statement.value)
        field = read_field(head, self.sources, self.slots, self.binder.evaluate, self.problems)
        if field is not None:
            used.add(field.source.name)
        transforms = self._transforms(stages)
        if field is None or transforms is None or not in_order(field, transforms, self.strides, self.problems):
            return
        if slot is None or not wanted_type(slot).known:
            return
        if fit(slot, field, transforms, self.problems):
            self.model.bindings.append(
                Binding(name.text, field.source.name, field.key, tuple(e for e, _ in transforms), statement.value.span)
            )

    def _no_slot(self, name: ast.Ident) -> None:
        known = list(self.slots)
        self.meant.update(suggest(name.text, known)[:1])
        if name.text in self.model.named:
            self.problems.error(
                "NN0201", f"`{name.text}` is computed by the model: data fills inputs and outputs", name.span,
                help=f"the model's inputs and outputs are {', '.join(f'`{n}`' for n in known)}",
            )  # fmt: skip
        elif not self.broken_model:
            self.problems.error(
                "NN0201", f"the model has no input or output called `{name.text}`", name.span,
                help=did_you_mean(name.text, known) or f"it has {', '.join(f'`{n}`' for n in known)}",
                fixes=did_you_mean_fix(name.span, suggest(name.text, known)),
            )  # fmt: skip

    def _transforms(self, stages: list[ast.Expr]) -> list[tuple[Transform, Span]] | None:
        """The checked transforms with their places, or None where one is wrong."""
        result: list[tuple[Transform, Span]] = []
        fine = True
        for stage in stages:
            cls = self._class("transform", stage)
            if cls is None or not isinstance(stage, ast.CallExpr):
                fine = False
                continue
            bound = self.binder.bind(cls, _gathered(stage, cls.variadic))
            if bound is None:
                fine = False
            else:
                assert isinstance(bound.entry, Transform)
                result.append((bound.entry, stage.span))
        return result if fine else None

    # ------------------------------------------------------------------------------ the whole section

    def _unbound(self, bound: dict[str, Span]) -> None:
        """Every input, and every output with a loss, needs data."""
        for name, slot in self.slots.items():
            if name in bound or name in self.meant or (isinstance(slot, Output) and slot.loss is None):
                continue
            what, place, note = _about(slot)
            sources = [n for n, source in self.sources.items() if source is not None]
            self.problems.error(
                "NN0601", f"{what} `{name}` gets no data", place, note,
                related=(Label(self.section.kind.span, "this section does not fill it"),),
                help=f"add a line to it: `{name} = {sources[0] if sources else 'source'}.…`",
            )  # fmt: skip

    def _agree(self, used: set[str]) -> None:
        """Sources that fill one model are split in the same way, or their rows would no longer belong together."""
        found = [source for source in self.sources.values() if source is not None and source.name in used]
        for source in found[1:]:
            first = found[0]
            for option in OPTIONS:
                if source.options.get(option) != first.options.get(option):
                    here, there = (self.options[s.name].get(option, s.span) for s in (source, first))
                    self.problems.error(
                        "NN0215", f"sources `{first.name}` and `{source.name}` fill one model and differ in `{option}`",
                        here, related=(Label(there, ""),),
                        help="rows of several sources belong together by their number: split them in the same way",
                    )  # fmt: skip
                    return
        for name, place in self.places.items():
            if name not in used and self.sources.get(name) is not None and not self.problems.has_errors:
                self.problems.warning(
                    "NN0402", f"source `{name}` fills nothing", place, help="use it, or remove the line"
                )


def _gathered(call: ast.CallExpr, variadic: str) -> ast.CallExpr:
    """`reshape(28, 28, 1)` as `reshape((28, 28, 1))`."""
    if not variadic or len(call.args) < 2 or any(item.name is not None for item in call.args):
        return call
    span = call.args[0].span.to(call.args[-1].span)
    items = ast.TupleExpr(span, tuple(item.value for item in call.args))
    return ast.CallExpr(call.span, call.func, (ast.Arg(span, None, items),))


def _about(slot: Slot) -> tuple[str, Span, str]:
    """What the slot is, its place, and a word about it there."""
    if isinstance(slot, SampleWeights):
        return "the array of weights", slot.span, f"weighs output `{slot.output.name}`"
    if isinstance(slot, Input):
        return "input", slot.value.span, ""
    return "output", slot.name_span, "has a loss"
