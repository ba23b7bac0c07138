"""What is offered at the caret, one by one: how it reads, and what is put in."""

from __future__ import annotations

from dataclasses import dataclass

from nndsl.ide import callees, entries
from nndsl.ide.analysis import Analysis
from nndsl.ide.callees import Callee, Parameter
from nndsl.ide.place import OPTION_DOCS, WITH
from nndsl.ide.words import ATTRIBUTES, DTYPES, KEYWORDS
from nndsl.layers import catalogue
from nndsl.layers.entry import Entry
from nndsl.passes.train_section import SETTINGS
from nndsl.source import Span


@dataclass(frozen=True)
class Item:
    """`kind` is a word for what it is ("layer", "block", "value", "argument", "keyword", …). `insert` replaces `span`;
    a snippet has `$1` and `${1:text}` in it. Items are sorted by `sort`, and `filter` is what the typed word is
    compared with. `about` is what `resolve` gives the documentation of."""

    label: str
    kind: str
    span: Span
    insert: str
    detail: str = ""
    is_snippet: bool = False
    sort: str = ""
    filter: str = ""
    about: str = ""


def escaped(text: str) -> str:
    """Text within a snippet."""
    return "".join(f"\\{char}" if char in "\\$}" else char for char in text)


def call_snippet(callee: Callee) -> str:
    """`Conv2D(${1:filters}, ${2:kernel_size})`: a call with what must be given."""
    needed = [
        f"{'' if p in callee.positional else p.name + '='}${{{number}:{escaped(p.name)}}}"
        for number, p in enumerate(callee.required, 1)
    ]
    return f"{escaped(callee.name)}({', '.join(needed)})"


class Maker:
    """Makes the items for one caret."""

    def __init__(self, span: Span) -> None:
        self.span = span
        text = span.file.text
        rest = text[span.end : span.end + 200]
        self.before_call = rest.startswith("(")
        self.before_equal = rest.lstrip(" \t").startswith("=") and not rest.lstrip(" \t").startswith("==")
        self.before_bracket = rest.startswith("[")

    def plain(self, name: str, kind: str, sort: str, *, detail: str = "", about: str = "") -> Item:
        return Item(name, kind, self.span, name, detail, sort=sort + name.lower(), filter=name, about=about)

    def called(self, callee: Callee, kind: str, sort: str, about: str, *, detail: str = "") -> Item:
        """A call, with parentheses where there are none yet."""
        insert = callee.name if self.before_call else call_snippet(callee)
        return Item(callee.name, kind, self.span, insert, detail, not self.before_call and "$" in insert,
                    sort + callee.name.lower(), callee.name, about)  # fmt: skip

    def option(self, cls: type[Entry], name: str, sort: str) -> Item:
        """An entry as the value of an argument: its bare name where it can stand alone."""
        about = f"{cls.category}/{name}"
        callee = Callee(name, cls.category, cls)
        if callee.required:
            return self.called(callee, cls.category, sort, about)
        return self.plain(name, cls.category, sort, detail=cls.category.replace("_", " "), about=about)

    def made(self, cls: type[Entry], name: str, sort: str) -> Item:
        """An entry as a call, with a gap for what one may want to give it."""
        callee = Callee(name, cls.category, cls)
        insert = name if self.before_call else call_snippet(callee) if callee.required else f"{name}($1)"
        return Item(name, cls.category, self.span, insert, cls.category.replace("_", " "), "$" in insert,
                    sort + name.lower(), name, f"{cls.category}/{name}")  # fmt: skip

    def size(self, name: str) -> Item:
        """A size of a value: `x.shape[-1]`."""
        insert = f"{name}.shape[${{1:-1}}]"
        return Item(
            f"{name}.shape", "attribute", self.span, insert, "a size", True, "3" + name, name, "attribute/shape"
        )

    def assigned(self, name: str, kind: str, sort: str, sign: str, *, detail: str = "", about: str = "") -> Item:
        """`activation=` or `epochs = `."""
        insert = name if self.before_equal else name + sign
        return Item(name + sign.rstrip(), kind, self.span, insert, detail, sort=sort + name, filter=name, about=about)

    def argument(self, callee: Callee, parameter: Parameter) -> Item:
        sort = "1" if parameter.required else "3" if parameter.name in ("name", "trainable") else "2"
        detail = parameter.takes.replace("`", "")
        about = f"argument/{callee.category}/{callee.name}/{parameter.name}"
        return self.assigned(parameter.name, "argument", sort, "=", detail=detail, about=about)

    def keyword(self, word: str, snippet: str, sort: str) -> Item:
        return Item(word, "keyword", self.span, snippet or word, is_snippet="$" in snippet, sort=sort + word,
                    filter=word, about=f"keyword/{word}")  # fmt: skip


def resolve(analysis: Analysis, about: str) -> str:
    """The documentation of an item, Markdown; `about` is the item's. "" where there is none."""
    sort, _, name = about.partition("/")
    match sort:
        case "":
            return ""
        case "keyword":
            return KEYWORDS.get(name, "")
        case "dtype":
            return DTYPES.get(name, "")
        case "attribute":
            return ATTRIBUTES.get(name, "")
        case "setting":
            return SETTINGS[name][1] if name in SETTINGS else ""
        case "options":
            return OPTION_DOCS.get(name, "")
        case "with":
            statement, _, option = name.partition("/")
            return WITH.get(statement, {}).get(option, (None, ""))[1]
        case "argument":
            category, callee_name, parameter_name = (*name.split("/"), "", "")[:3]
            callee = _callee(analysis, category, callee_name)
            parameter = callee.parameter(parameter_name) if callee is not None else None
            return "" if callee is None or parameter is None else entries.of_parameter(callee, parameter)
    callee = _callee(analysis, sort, name)
    return "" if callee is None else entries.documentation(analysis, callee)


def _callee(analysis: Analysis, category: str, name: str) -> Callee | None:
    if category == "block":
        return callees.own(analysis, name)
    return callees.of_entry(category, name) if category in catalogue.categories() else None
