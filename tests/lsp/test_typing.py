"""The server under way: a file that is typed, and thousands of edits at random places. It must never fail, never hang,
and in the end say what `nndsl check` says of the same text."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from lsprotocol import types

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.project import Project
from nndsl.source import SourceFile
from tests.lsp.editor import Editor

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = Path(__file__).parents[2] / "examples"
ZOO = sorted((EXAMPLES / "zoo").glob("*.nn"))
FRAGMENTS = [
    "->", " -> Dense(8)", "(", ")", "{", "}", "[", "]", ",", "\n", "\r\n", "=", '"', "'", "#", ";", "..", "-1", "\t",
    "with loss=mse", "branch {", "repeat 3 {", "output y", "input x: float[3]", "shared", "block A(n) {", "model B {",
    "9" * 40, "x.shape[0]", "\U0001f600", "import", 'from "a.nn" import B', "train { epochs = 3 }", "activation=",
    "param p = 3", "layer L() {", "x @ y", "if", "else", "true", "name=a",
]  # fmt: skip


def fresh(text: str, path: Path) -> list[tuple[str, int, int]]:
    """What a check from the beginning says: codes and places."""
    source, problems = SourceFile(str(path), text), Problems()
    pipeline.check(source, problems, Project(source).read, need_model=False)
    return sorted((item.code, item.primary.span.line - 1, item.primary.span.column - 1) for item in problems)


def served(found: list[types.Diagnostic], text: str) -> list[tuple[str, int, int]]:
    lines = text.split("\n")
    places = []
    for item in found:
        start = item.range.start
        column = len(lines[start.line].encode("utf-16-le")[: 2 * start.character].decode("utf-16-le", "ignore"))
        places.append((str(item.code), start.line, column))
    return sorted(places)


async def ask_everything(editor: Editor, place: types.Position, name: str = "model.nn") -> None:
    """Every request that an editor sends while one types. An answer may be empty; an error fails the test."""
    client, document = editor.client, editor.document(name)
    everywhere = types.Range(types.Position(0, 0), types.Position(5_000, 0))
    options = types.FormattingOptions(tab_size=4, insert_spaces=True)
    await client.text_document_completion_async(types.CompletionParams(document, place))
    await client.text_document_signature_help_async(types.SignatureHelpParams(document, place))
    await client.text_document_hover_async(types.HoverParams(document, place))
    await client.text_document_definition_async(types.DefinitionParams(document, place))
    await client.text_document_document_highlight_async(types.DocumentHighlightParams(document, place))
    await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(document))
    await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
    await client.text_document_folding_range_async(types.FoldingRangeParams(document))
    await client.text_document_selection_range_async(types.SelectionRangeParams(document, [place]))
    await client.text_document_document_link_async(types.DocumentLinkParams(document))
    await client.text_document_formatting_async(types.DocumentFormattingParams(document, options))
    await client.text_document_inlay_hint_async(types.InlayHintParams(document, everywhere))
    await client.text_document_code_lens_async(types.CodeLensParams(document))
    context = types.CodeActionContext([])
    await client.text_document_code_action_async(types.CodeActionParams(document, everywhere, context))


async def type_out(editor: Editor, text: str, ask: int) -> None:
    """Types a text one character at a time; every `ask` characters everything is asked for."""
    await editor.open("")
    typed = ""
    for number, character in enumerate(text):
        typed += character
        editor.change(typed)
        if number % ask == 0:
            line = typed.count("\n")
            column = len(typed.rpartition("\n")[2].encode("utf-16-le")) // 2
            await ask_everything(editor, types.Position(line, column))
    assert served(await editor.problems(), text) == fresh(text, editor.folder / "model.nn")


async def edit_at_random(editor: Editor, text: str, edits: int, seed: int) -> None:
    """Random edits, most of which a later one takes back, so that the text stays near a program."""
    chance = random.Random(seed)
    original = text
    await editor.open(text)
    for number in range(edits):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice([0, 0, 0, 1, 2, 5, 30]))
        text = text[:start] + chance.choice([*FRAGMENTS, ""]) + text[end:]
        if chance.random() < 0.1 or len(text) > 2 * len(original):
            text = original
        editor.change(text)
        if number % 50 == 0:
            line = chance.randrange(text.count("\n") + 1)
            await ask_everything(editor, types.Position(line, chance.randrange(80)))
        if number % 100 == 99 or number == edits - 1:
            assert served(await editor.problems(), text) == fresh(text, editor.folder / "model.nn"), (seed, number)


async def test_a_file_is_typed(editor: Editor) -> None:
    await type_out(editor, (EXAMPLES / "residual.nn").read_text(), 7)


async def test_random_edits(editor: Editor) -> None:
    await edit_at_random(editor, (EXAMPLES / "zoo" / "seq2seq.nn").read_text(), 300, 1)


@pytest.mark.slow
@pytest.mark.parametrize("path", ZOO, ids=[path.stem for path in ZOO])
async def test_a_model_of_the_zoo_is_typed(editor: Editor, path: Path) -> None:
    await type_out(editor, path.read_text(), 3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
async def test_many_random_edits(editor: Editor, seed: int) -> None:
    await edit_at_random(editor, ZOO[seed % len(ZOO)].read_text(), 1_000, 100 + seed)
