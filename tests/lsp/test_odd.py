"""Odd paths, odd places, odd texts."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.lsp.editor import Editor
from tests.lsp.test_server import BLOCKS, IMPORTING, MODEL
from tests.lsp.test_typing import ask_everything

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("folder", ["two words", "größe", "a%20b", "50% [x] #1 & co", "\U0001f600"])
async def test_names_of_folders(editor: Editor, folder: str) -> None:
    place = editor.folder / folder
    place.mkdir()
    (place / "blocks.nn").write_text(BLOCKS)
    inside = Editor(editor.client, place)
    marked = IMPORTING.replace("Residual(16", "Resi‸dual(16")
    assert await inside.open(marked) == []
    params = types.DefinitionParams(inside.document("model.nn"), inside.place(marked))
    found = await inside.client.text_document_definition_async(params)
    assert isinstance(found, types.Location)
    assert found.uri == (place / "blocks.nn").as_uri()
    await inside.open(BLOCKS, "blocks.nn")
    found = await inside.client.text_document_definition_async(params)
    assert isinstance(found, types.Location) and found.uri == inside.uri("blocks.nn")
    for name in list(inside.texts):
        await inside.close(name)


async def test_a_link_to_a_file_is_that_file(editor: Editor) -> None:
    (editor.folder / "real.nn").write_text(BLOCKS)
    (editor.folder / "blocks.nn").symlink_to("real.nn")
    assert await editor.open(IMPORTING) == []
    await editor.open(BLOCKS.replace("Residual", "Other"), "real.nn")
    assert len(await editor.problems()) == 1


async def test_what_lies_outside_of_the_project_is_not_read(editor: Editor) -> None:
    outside = editor.folder.parent / f"{editor.folder.name}-outside.nn"
    outside.write_text(BLOCKS)
    (problem,) = await editor.open(IMPORTING.replace("blocks.nn", f"../{outside.name}"))
    assert problem.code == "NN0703"
    params = types.DocumentLinkParams(editor.document("model.nn"))
    assert not await editor.client.text_document_document_link_async(params)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "\r", "\ufeff" + MODEL, MODEL.replace("\n", "\r"), "model", "model A {", "}" * 50, "(" * 300,
     "x -> " * 3000, "#" * 5000, '"' * 99, "\0", "\ud7ff\ue000", "a" * 100_000, MODEL * 3],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
async def test_odd_texts_get_answers(editor: Editor, text: str) -> None:
    await editor.open(text)
    last = types.Position(text.count("\n"), len(text.rpartition("\n")[2]))
    for place in (types.Position(0, 0), last, types.Position(10_000, 10_000), types.Position(0, 10_000)):
        await ask_everything(editor, place)


async def test_files_that_import_each_other(editor: Editor) -> None:
    await editor.open('from "b.nn" import B\nblock A() { input x; output y = x -> B() }\n', "a.nn")
    await editor.open('from "a.nn" import A\nblock B() { input x; output y = x -> A() }\n', "b.nn")
    for name in ("a.nn", "b.nn"):
        codes = {problem.code for problem in await editor.problems(name)}
        assert "NN0705" in codes
        await ask_everything(editor, types.Position(1, 36), name)


async def test_a_huge_expansion_does_not_stop_the_answers(editor: Editor) -> None:
    text = MODEL.replace("-> Flatten()", "-> repeat 30000 { Conv2D(8, 3, padding=same) } -> Flatten()")
    params = types.DocumentSymbolParams(editor.document("model.nn"))
    editor.texts["model.nn"], editor.versions["model.nn"] = text, 1
    item = types.TextDocumentItem(editor.uri("model.nn"), "nndsl", 1, text)
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    assert await editor.client.text_document_document_symbol_async(params)  # while it is checked
    assert editor.uri("model.nn") not in editor.client.diagnostics
    assert await editor.open(MODEL) == []
