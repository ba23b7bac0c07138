"""What an editor sees of a program: every feature of the language server, over the protocol."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.lsp.editor import CARET, Editor, applied, cut

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = """\
# A small network.
model Small {
    input image: float[28, 28, 1]
    features = image -> Conv2D(8, 3) -> Flatten()
    output label = features -> Dense(10, activation=softmax)
        with loss=sparse_categorical_crossentropy
}
"""

BLOCKS = """\
block Residual(filters, stride=1) {
    input x
    path = x -> Conv2D(filters, 3, strides=stride, padding=same)
    skip = x -> Conv2D(filters, 1, strides=stride)
    output y = (path, skip) -> Add()
}
"""

IMPORTING = """\
from "blocks.nn" import Residual

model Deep {
    input image: float[16, 16, 3]
    x = image -> Residual(8) -> Residual(16, stride=2)
    output label = x -> Flatten() -> Dense(10, activation=softmax)
        with loss=sparse_categorical_crossentropy
}
"""


def whole() -> types.Range:
    return types.Range(types.Position(0, 0), types.Position(10_000, 0))


# --------------------------------------------------------------------------------------- diagnostics


async def test_a_fine_file_has_no_problems(editor: Editor) -> None:
    assert await editor.open(MODEL) == []


async def test_a_problem_underlines_the_argument_and_leads_to_its_explanation(editor: Editor) -> None:
    text = MODEL.replace("padding", "padding").replace("Dense(10,", "Dense(-10,")
    (problem,) = await editor.open(text)
    assert cut(text, problem.range) == "-10"
    assert problem.severity == types.DiagnosticSeverity.Error
    assert problem.code == "NN0206"
    assert problem.source == "nndsl"
    assert problem.code_description is not None
    path, _, line = problem.code_description.href.removeprefix("file://").partition("#L")
    with open(path, encoding="utf-8") as page:
        assert page.read().splitlines()[int(line) - 1].startswith("## NN0206")


async def test_the_other_side_of_a_conflict_is_a_related_place(editor: Editor) -> None:
    text = MODEL.replace("    output label", "    features = image\n    output label")
    problems = await editor.open(text)
    twice = next(problem for problem in problems if problem.code == "NN0208")
    assert twice.related_information is not None
    (first,) = twice.related_information
    assert first.location.uri == editor.uri("model.nn")
    assert (first.location.range.start.line, cut(text, first.location.range)) == (3, "features")


async def test_what_leads_nowhere_is_faded(editor: Editor) -> None:
    text = MODEL.replace("    output label", "    spare = image -> Flatten()\n    output label")
    (problem,) = await editor.open(text)
    assert problem.severity == types.DiagnosticSeverity.Warning
    assert list(problem.tags or ()) == [types.DiagnosticTag.Unnecessary]


async def test_several_errors_come_at_once_and_go_when_they_are_mended(editor: Editor) -> None:
    text = MODEL.replace("Conv2D(", "Conv2d(").replace("Dense(10", "Dense(ten").replace("loss=s", "loss=z")
    assert len(await editor.open(text)) == 3
    assert await editor.open(MODEL) == []


async def test_a_problem_of_an_imported_file_stands_at_the_import(editor: Editor) -> None:
    (editor.folder / "blocks.nn").write_text(BLOCKS.replace("Add()", "Ad()"))
    problems = await editor.open(IMPORTING)
    assert {cut(IMPORTING, problem.range) for problem in problems} == {'"blocks.nn"'}
    related = problems[0].related_information
    assert related is not None
    assert related[0].location.uri == editor.uri("blocks.nn")


async def test_an_open_file_counts_as_it_stands_in_the_editor(editor: Editor) -> None:
    (editor.folder / "blocks.nn").write_text(BLOCKS)
    assert await editor.open(IMPORTING) == []
    await editor.open(BLOCKS.replace("Residual", "Other"), "blocks.nn")
    (problem,) = await editor.problems()
    assert cut(IMPORTING, problem.range) == "Residual"
    await editor.close("blocks.nn")
    assert await editor.problems() == []


async def test_a_file_that_changes_on_the_disk_is_read_again(editor: Editor) -> None:
    assert len(await editor.open(IMPORTING)) == 1
    (editor.folder / "blocks.nn").write_text(BLOCKS)
    event = types.FileEvent(editor.uri("blocks.nn"), types.FileChangeType.Created)
    editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
    assert await editor.problems() == []


async def test_an_unsaved_text_without_a_folder_is_checked(editor: Editor) -> None:
    item = types.TextDocumentItem("untitled:Untitled-1", "nndsl", 1, IMPORTING)
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    document = types.TextDocumentIdentifier("untitled:Untitled-1")
    await editor.client.text_document_inlay_hint_async(types.InlayHintParams(document, whole()))
    (problem,) = editor.client.diagnostics["untitled:Untitled-1"]
    assert "a text without a folder" in problem.message
    editor.client.text_document_did_close(types.DidCloseTextDocumentParams(document))


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
async def test_columns_count_utf16_and_lines_any_end(editor: Editor, ends: str) -> None:
    text = MODEL.replace("image", "bild").replace(
        "    output", "    # \U0001f600 größer; \x0c \u2028 is no line end\n    output"
    )
    text = text.replace("Dense(10", "Dense('\U0001f600\U0001f600', unit=3").replace("\n", ends)
    problems = await editor.open(text)
    flat = text.replace("\r\n", "\n")
    assert [cut(flat, problem.range) for problem in problems] == ["'\U0001f600\U0001f600'", "unit"]


# ------------------------------------------------------------------------------------- quick fixes


@pytest.mark.parametrize(
    ("old", "new", "title", "result"),
    [
        ("Dense(10", "Densee(10", "Change to `Dense`", None),
        ("activation=softmax", "activation=sofmax", "Change to `softmax`", None),
        ("    output", "    spare = image -> Flatten()\n    output", "Remove `spare`", None),
        ("Conv2D(8, 3)", "Conv2D(8, 30)", "Add `padding=same`", "Conv2D(8, 30, padding=same)"),
    ],
)
async def test_a_quick_fix_mends_the_file(editor: Editor, old: str, new: str, title: str, result: str | None) -> None:
    text = MODEL.replace(old, new)
    assert text != MODEL
    (problem,) = await editor.open(text)
    context = types.CodeActionContext([problem])
    params = types.CodeActionParams(editor.document("model.nn"), problem.range, context)
    found = await editor.client.text_document_code_action_async(params)
    assert found is not None
    action = next(action for action in found if isinstance(action, types.CodeAction) and action.title == title)
    assert action.kind == types.CodeActionKind.QuickFix
    assert list(action.diagnostics or ()) == [problem] and action.edit is not None and action.edit.changes is not None
    mended = applied(text, list(action.edit.changes[editor.uri("model.nn")]))
    assert mended == MODEL.replace(old, result or old)
    assert await editor.open(mended) == []


async def test_all_that_can_be_fixed_is_fixed_at_once(editor: Editor) -> None:
    text = MODEL.replace("Conv2D(", "Conv2d(").replace("softmax)", "sofmax)").replace("Flatten", "Flaten")
    await editor.open(text)
    context = types.CodeActionContext([], only=[types.CodeActionKind.SourceFixAll])
    params = types.CodeActionParams(editor.document("model.nn"), whole(), context)
    (action,) = await editor.client.text_document_code_action_async(params) or []
    assert isinstance(action, types.CodeAction) and action.edit is not None and action.edit.changes is not None
    assert applied(text, list(action.edit.changes[editor.uri("model.nn")])) == MODEL


# ------------------------------------------------------------------------------------------- hints


async def hints(editor: Editor, text: str) -> list[str]:
    """Each line with its hints put in."""
    await editor.open(text)
    params = types.InlayHintParams(editor.document("model.nn"), whole())
    found = await editor.client.text_document_inlay_hint_async(params) or []
    edits = [types.TextEdit(types.Range(hint.position, hint.position), f"⟨{hint.label}⟩") for hint in found]
    return applied(text, edits).splitlines()


async def test_every_stage_shows_its_shape(editor: Editor) -> None:
    lines = await hints(editor, MODEL)
    assert lines[3:5] == [
        "    features = image -> Conv2D(8, 3)⟨[26, 26, 8]⟩ -> Flatten()⟨[5408]⟩",
        "    output label = features -> Dense(10, activation=softmax)⟨[10]⟩",
    ]


async def test_shapes_are_formulas_and_blocks_show_all_their_calls(editor: Editor) -> None:
    text = (
        BLOCKS
        + """
model Deep {
    input text: int[T]
    input image: float[16, 16, 3]
    x = image -> Residual(8) -> Residual(16, stride=2)
    y = text -> Embedding(10, 4) -> Conv1D(6, 5)
    output label = (x -> GlobalMaxPooling2D(), y -> GlobalMaxPooling1D()) -> Concatenate() -> Dense(1) with loss=mse
}
"""
    )
    lines = await hints(editor, text)
    assert lines[2].endswith("padding=same)⟨[16, 16, 8] … [8, 8, 16]⟩")
    assert lines[10] == "    x = image -> Residual(8)⟨[16, 16, 8]⟩ -> Residual(16, stride=2)⟨[8, 8, 16]⟩"
    assert lines[11] == "    y = text -> Embedding(10, 4)⟨[T, 4]⟩ -> Conv1D(6, 5)⟨[T - 4, 6]⟩"


async def test_shapes_stay_where_another_line_is_broken(editor: Editor) -> None:
    lines = await hints(editor, MODEL.replace("Dense(10, activation=softmax)", "Dense(10, acti"))
    assert lines[3].count("⟨") == 2


# ----------------------------------------------------------------------------------- at the caret


@pytest.mark.parametrize(
    ("marked", "word", "says"),
    [
        (("Conv2D(8, 3)", "Con‸v2D(8, 3)"), "Conv2D", ["28, 28, 1", "26, 26, 8", "80 parameters"]),
        (("activation=softmax", "activation=soft‸max"), "softmax", ["softmax"]),
        (("activation=softmax", "activ‸ation=softmax"), "activation", ["activation"]),
        (("= features", "= fea‸tures"), "features", ["5408", "Conv2D", "Flatten"]),
        (("model Small", "model Sm‸all"), "Small", ["54,170", "A small network."]),
        (("with loss", "wi‸th loss"), "with", ["loss"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_hover_says_what_a_word_means_here(
    editor: Editor, marked: tuple[str, str], word: str, says: list[str]
) -> None:
    text = MODEL.replace(*marked)
    await editor.open(text)
    found = await editor.client.text_document_hover_async(
        types.HoverParams(editor.document("model.nn"), editor.place(text))
    )
    assert found is not None and found.range is not None and isinstance(found.contents, types.MarkupContent)
    assert cut(MODEL, found.range) == word
    for part in says:
        assert part in found.contents.value


@pytest.mark.parametrize(
    ("old", "new", "offered"),
    [
        ("-> Flatten()", "-> Fla‸", "Flatten"),
        ("Dense(10, activation=softmax)", "Dense(10, act‸", "activation="),
        ("activation=softmax", "activation=soft‸", "softmax"),
        ("features -> Dense", "fea‸", "features"),
        ("with loss=sparse_categorical_crossentropy", "with lo‸", "loss="),
        ("loss=sparse_categorical_crossentropy", "loss=sparse‸", "sparse_categorical_crossentropy"),
        ("}\n", "    train {\n        opt‸\n    }\n}\n", "optimizer"),
        ("model Small", "mod‸", "model"),
    ],
)
async def test_completion_offers_what_fits(editor: Editor, old: str, new: str, offered: str) -> None:
    await editor.open(MODEL)
    head, _, tail = MODEL.partition(old)
    text = head + new + tail
    await editor.open(text)
    params = types.CompletionParams(editor.document("model.nn"), editor.place(text))
    found = await editor.client.text_document_completion_async(params)
    assert isinstance(found, types.CompletionList)
    item = next(item for item in found.items if item.label.rstrip(" =") == offered.rstrip("="))
    assert isinstance(item.text_edit, types.TextEdit)
    plain = text.replace(CARET, "")
    assert (
        cut(plain, item.text_edit.range) == new.strip().split("‸")[0].split()[-1].rpartition("(")[2].rpartition("=")[2]
    )
    full = await editor.client.completion_item_resolve_async(item)
    assert full.label == item.label
    if offered in ("Flatten", "softmax", "activation="):
        assert isinstance(full.documentation, types.MarkupContent) and full.documentation.value


async def test_completion_of_imports_stays_in_the_project(editor: Editor) -> None:
    (editor.folder / "blocks.nn").write_text(BLOCKS)
    (editor.folder.parent / "other.nn").write_text(BLOCKS)
    for text, offered in (('from "b‸" import X\n', ["blocks.nn"]), ('from "../‸" import X\n', []),
                          ('from "blocks.nn" import R‸\n', ["Residual"])):  # fmt: skip
        await editor.open(text)
        params = types.CompletionParams(editor.document("model.nn"), editor.place(text))
        found = await editor.client.text_document_completion_async(params)
        assert isinstance(found, types.CompletionList)
        assert [item.label for item in found.items] == offered


async def test_signature_help_follows_the_caret(editor: Editor) -> None:
    text = MODEL.replace("Dense(10, activation=softmax)", "Dense(10, activation=‸")
    await editor.open(text)
    params = types.SignatureHelpParams(editor.document("model.nn"), editor.place(text))
    found = await editor.client.text_document_signature_help_async(params)
    assert found is not None and found.active_parameter is not None
    (shown,) = found.signatures
    assert shown.label.startswith("Dense(units, activation=") and shown.parameters is not None
    start, end = shown.parameters[found.active_parameter].label
    assert shown.label[start:end].startswith("activation")


# -------------------------------------------------------------------------------- names in all files


async def test_definition_references_and_highlights_of_a_value(editor: Editor) -> None:
    marked = MODEL.replace("= features ->", "= fea‸tures ->")
    await editor.open(marked)
    document, place = editor.document("model.nn"), editor.place(marked)
    found = await editor.client.text_document_definition_async(types.DefinitionParams(document, place))
    assert isinstance(found, types.Location)
    assert (found.range.start.line, cut(MODEL, found.range)) == (3, "features")
    context = types.ReferenceContext(include_declaration=True)
    places = await editor.client.text_document_references_async(types.ReferenceParams(context, document, place))
    assert [item.range.start.line for item in places or []] == [3, 4]
    lit = await editor.client.text_document_document_highlight_async(types.DocumentHighlightParams(document, place))
    assert [item.kind for item in lit or []] == [types.DocumentHighlightKind.Write, types.DocumentHighlightKind.Read]


async def test_definition_and_references_lead_into_other_files(editor: Editor) -> None:
    (editor.folder / "blocks.nn").write_text(BLOCKS)
    (editor.folder / "second.nn").write_text(IMPORTING)
    marked = IMPORTING.replace("Residual(16", "Resi‸dual(16")
    await editor.open(marked)
    document, place = editor.document("model.nn"), editor.place(marked)
    found = await editor.client.text_document_definition_async(types.DefinitionParams(document, place))
    assert isinstance(found, types.Location)
    assert (found.uri, cut(BLOCKS, found.range)) == (editor.uri("blocks.nn"), "Residual")
    context = types.ReferenceContext(include_declaration=True)
    places = await editor.client.text_document_references_async(types.ReferenceParams(context, document, place))
    by_file = sorted(item.uri.rpartition("/")[2] for item in places or [])
    assert by_file == ["blocks.nn"] + 3 * ["model.nn"] + 3 * ["second.nn"]


async def rename(editor: Editor, marked: str, name: str, file: str = "model.nn") -> dict[str, str]:
    """The texts of all files after a rename at the caret."""
    document, place = editor.document(file), editor.place(marked)
    found = await editor.client.text_document_rename_async(types.RenameParams(document, place, name))
    assert found is not None and found.changes is not None
    texts = {}
    for uri, edits in found.changes.items():
        other = uri.rpartition("/")[2]
        text = editor.texts.get(other) or (editor.folder / other).read_text()
        texts[other] = applied(text, list(edits))
    return texts


async def test_rename_reaches_all_files(editor: Editor) -> None:
    (editor.folder / "blocks.nn").write_text(BLOCKS)
    marked = IMPORTING.replace("import Residual", "import Resid‸ual")
    await editor.open(marked)
    place = types.PrepareRenameParams(editor.document("model.nn"), editor.place(marked))
    ready = await editor.client.text_document_prepare_rename_async(place)
    assert isinstance(ready, types.PrepareRenamePlaceholder) and ready.placeholder == "Residual"
    texts = await rename(editor, marked, "Skip")
    assert texts == {
        "model.nn": IMPORTING.replace("Residual", "Skip"),
        "blocks.nn": BLOCKS.replace("Residual", "Skip"),
    }


async def test_rename_of_a_parameter_reaches_the_calls(editor: Editor) -> None:
    (editor.folder / "model.nn").write_text(IMPORTING)
    marked = BLOCKS.replace("stride=1)", "str‸ide=1)")
    await editor.open(marked, "blocks.nn")
    texts = await rename(editor, marked, "step", "blocks.nn")
    assert texts["model.nn"] == IMPORTING.replace("stride=2", "step=2")
    assert texts["blocks.nn"] == BLOCKS.replace("stride", "step").replace("steps=", "strides=")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("image", "is a name already"),
        ("Dense", "is a layer of the catalogue"),
        ("model", "is a word of the language"),
        ("not a name", "is no name"),
        ("softmax", "used as an option"),
    ],
)
async def test_a_rename_that_would_change_the_meaning_is_refused(editor: Editor, name: str, reason: str) -> None:
    marked = MODEL.replace("features =", "feat‸ures =")
    await editor.open(marked)
    with pytest.raises(Exception, match=reason):
        await rename(editor, marked, name)


async def test_a_layer_of_the_catalogue_cannot_be_renamed(editor: Editor) -> None:
    marked = MODEL.replace("Flatten()", "Flat‸ten()")
    await editor.open(marked)
    place = types.PrepareRenameParams(editor.document("model.nn"), editor.place(marked))
    with pytest.raises(Exception, match="no name here that this project defines"):
        await editor.client.text_document_prepare_rename_async(place)


# ---------------------------------------------------------------------------------------- overview


async def test_the_outline(editor: Editor) -> None:
    await editor.open(BLOCKS + MODEL + "param size = 3\n")
    params = types.DocumentSymbolParams(editor.document("model.nn"))
    found = await editor.client.text_document_document_symbol_async(params) or []
    shown = [(item.name, [inner.name for inner in item.children or []]) for item in found if _is_symbol(item)]
    assert shown == [
        ("Residual", ["x", "path", "skip", "y"]),
        ("Small", ["image", "features", "label"]),
        ("size", []),
    ]
    asked = types.WorkspaceSymbolParams("resid")
    everywhere = await editor.client.workspace_symbol_async(asked) or []
    assert [item.name for item in everywhere] == ["Residual"]


def _is_symbol(item: object) -> bool:
    return isinstance(item, types.DocumentSymbol)


async def test_folding(editor: Editor) -> None:
    text = "# one\n# two\n" + MODEL.replace("Dense(10, activation=softmax)", "Dense(\n        10,\n    )")
    await editor.open(text)
    found = await editor.client.text_document_folding_range_async(types.FoldingRangeParams(editor.document("model.nn")))
    folds = {(fold.start_line, fold.end_line, fold.kind) for fold in found or []}
    assert (0, 2, types.FoldingRangeKind.Comment) in folds
    assert (3, 9, None) in folds  # the body of the model, up to the line above its brace
    assert (6, 7, None) in folds  # the arguments


async def test_a_selection_grows_from_the_word_to_the_file(editor: Editor) -> None:
    marked = MODEL.replace("Dense(10", "Dense(1‸0")
    await editor.open(marked)
    params = types.SelectionRangeParams(editor.document("model.nn"), [editor.place(marked)])
    (found,) = await editor.client.text_document_selection_range_async(params) or []
    shown, at = [], found
    while at is not None:
        shown.append(cut(MODEL, at.range))
        at = at.parent
    assert shown[:3] == ["10", "Dense(10, activation=softmax)", "features -> Dense(10, activation=softmax)"]
    assert shown[3].startswith("output label =")
    assert shown[4].startswith("model Small {")


async def test_words_are_coloured_by_what_they_mean(editor: Editor) -> None:
    text = BLOCKS + MODEL
    await editor.open(text)
    params = types.SemanticTokensParams(editor.document("model.nn"))
    found = await editor.client.text_document_semantic_tokens_full_async(params)
    provider = editor.capabilities.semantic_tokens_provider
    assert found is not None and provider is not None
    names = provider.legend.token_types
    words: dict[str, str] = {}
    line = column = 0
    lines = text.splitlines()
    for start in range(0, len(found.data), 5):
        down, right, width, kind, _ = found.data[start : start + 5]
        line, column = line + down, right if down else column + right
        words.setdefault(lines[line][column : column + width], names[kind])
    assert words["model"] == words["input"] == words["with"] == "keyword"
    assert words["Small"] == "class"
    assert words["Residual"] == words["Conv2D"] == "function"
    assert words["image"] == words["features"] == "variable"
    assert words["filters"] == words["stride"] == "parameter"
    assert words["strides"] == words["activation"] == "property"
    assert words["softmax"] == words["same"] == "enumMember"
    assert words["float"] == "type"
    assert (words["28"], words["->"]) == ("number", "operator")


async def test_imports_and_data_files_are_links(editor: Editor) -> None:
    (editor.folder / "blocks.nn").write_text(BLOCKS)
    (editor.folder / "table.csv").write_text("a,b\n1,2\n")
    data = '\n    data { source table = csv("table.csv"); source other = csv("/etc/passwd") }\n}\n'
    await editor.open(IMPORTING.rstrip("}\n") + data)
    params = types.DocumentLinkParams(editor.document("model.nn"))
    found = await editor.client.text_document_document_link_async(params)
    assert sorted(link.target or "" for link in found or []) == [editor.uri("blocks.nn"), editor.uri("table.csv")]


async def test_formatting_is_one_edit_and_none_for_a_formatted_file(editor: Editor) -> None:
    text = MODEL.replace("features = image", "features=image").replace("\n", "\r\n")
    await editor.open(text)
    options = types.FormattingOptions(tab_size=4, insert_spaces=True)
    params = types.DocumentFormattingParams(editor.document("model.nn"), options)
    edits = await editor.client.text_document_formatting_async(params) or []
    assert len(edits) == 1
    await editor.open(MODEL)
    assert not await editor.client.text_document_formatting_async(params)
    await editor.open(MODEL.replace("(28", "[28"))
    assert not await editor.client.text_document_formatting_async(params)


# ---------------------------------------------------------------------------------------- preview


async def test_a_lens_over_a_model_counts_its_parameters(editor: Editor) -> None:
    await editor.open(MODEL)
    params = types.CodeLensParams(editor.document("model.nn"))
    found = await editor.client.text_document_code_lens_async(params) or []
    commands = [lens.command for lens in found if lens.command is not None]
    assert [command.title for command in commands] == ["54,170 parameters", "Show code", "Show graph", "Run"]
    assert list(commands[1].arguments or ()) == [editor.uri("model.nn"), "Small"]
    await editor.open(MODEL.replace("Flatten", "Flaten"))
    assert not await editor.client.text_document_code_lens_async(params)


@pytest.mark.parametrize("target", ["torch", "keras"])
async def test_the_generated_program_is_shown(editor: Editor, target: str) -> None:
    import nndsl

    await editor.open(MODEL)
    found = await editor.ask("nndsl/code", uri=editor.uri("model.nn"), target=target, model="Small")
    assert found.problem is None
    expected = nndsl.compile(MODEL, target)
    assert found.text.splitlines()[3:] == expected.splitlines()[3:]  # the head names the file
    await editor.open(MODEL.replace("Flatten", "Flaten"))
    found = await editor.ask("nndsl/code", uri=editor.uri("model.nn"), target=target, model="Small")
    assert found.text is None
    assert found.problem == "line 4: there is no layer called `Flaten`"


async def test_the_graph_is_shown(editor: Editor) -> None:
    await editor.open(MODEL)
    found = await editor.ask("nndsl/graph", uri=editor.uri("model.nn"), model=None)
    assert found.model == "Small" and found.svg.startswith("<svg") and "Conv2D" in found.svg
    found = await editor.ask("nndsl/graph", uri=editor.uri("model.nn"), model="Gone")
    assert found.svg is None and "Gone" in found.problem


async def test_the_client_hears_of_every_check(editor: Editor) -> None:
    await editor.open(MODEL)
    await editor.open(MODEL + "\n")
    assert editor.heard[-2:] == [(editor.uri("model.nn"), 1), (editor.uri("model.nn"), 2)]


async def test_nothing_is_known_of_a_file_that_is_not_open(editor: Editor) -> None:
    params = types.InlayHintParams(editor.document("absent.nn"), whole())
    assert await editor.client.text_document_inlay_hint_async(params) is None
    found = await editor.ask("nndsl/code", uri=editor.uri("absent.nn"), target="torch", model=None)
    assert found.problem == "the file is not open"
    assert CARET not in str(found)
