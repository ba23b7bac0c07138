"""Text made to break out, in a file that an editor has open: what the server sends shows it, and does nothing else."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any
from xml.etree import ElementTree

import pytest
from lsprotocol import converters, types

from tests.attacks.payloads import STRINGS, quoted
from tests.lsp.editor import Editor

pytestmark = pytest.mark.asyncio(loop_scope="module")

TWIN = "harmless"
RIGHT = """\
param word = {text}
# {raw}
block B(n=2, t={text}) {{ input z; output o = z -> Dense(n, name="d") }}
# {raw}
model M {{
    input x: float[8]
    c = {text}
    h = x -> B(t={text}) -> Dense(4, activation=relu)
    output y = h -> Dense(2, activation=softmax)
        with loss=categorical_crossentropy, metrics=[AUC(name={text})]
    train {{ optimizer = Adam(name={text}) }}
}}
"""
WRONG = """\
import {{ C }} from {text}
# {raw}
block B(n, t={text}) {{ input z; output o = z -> Dense(n, name={text}, activation={text}) }}
model M {{
    data {{ train = csv({text}); test = csv({text}, {text}={text}) }}
    input x: float[8, {text}]
    h = x -> B({text}, {text}) -> Nothing({text}) -> Dense(4, unit={text})
    output y = h -> Dense(2, activation={text}) with loss={text}, metrics=[{text}]
    train {{ optimizer = {text}; epochs = {text}; seed = {text}; learning = {text}; callbacks = [CSVLogger({text})] }}
}}
"""
SOME = [pytest.param(name, marks=() if at % 24 == 5 else pytest.mark.slow) for at, name in enumerate(STRINGS)]


async def sent(editor: Editor, text: str) -> dict[str, Any]:
    """All that the server says of a text, by what was asked, as JSON."""
    found: dict[str, Any] = {"problems": await editor.open(text)}
    client, document = editor.client, editor.document("model.nn")
    lines = text.split("\n")
    everywhere = types.Range(types.Position(0, 0), types.Position(len(lines), 0))
    found["hints"] = await client.text_document_inlay_hint_async(types.InlayHintParams(document, everywhere))
    found["lenses"] = await client.text_document_code_lens_async(types.CodeLensParams(document))
    found["symbols"] = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
    found["links"] = await client.text_document_document_link_async(types.DocumentLinkParams(document))
    context = types.CodeActionContext([])
    actions = types.CodeActionParams(document, everywhere, context)
    found["actions"] = [a.title for a in await client.text_document_code_action_async(actions) or ()]
    for word in ("word", "B(", "M {{", "c =", "h =", "y =", "Dense(2", "AUC", "C }"):
        line = next((at for at, each in enumerate(lines) if word.replace("{{", "{") in each), None)
        if line is None:
            continue
        place = types.Position(line, lines[line].index(word.replace("{{", "{")))
        found[f"hover {word}"] = await client.text_document_hover_async(types.HoverParams(document, place))
        inside = types.Position(line, len(lines[line]))
        found[f"signature {word}"] = await client.text_document_signature_help_async(
            types.SignatureHelpParams(document, types.Position(line, place.character + len(word)))
        )
        items = await client.text_document_completion_async(types.CompletionParams(document, inside))
        own = [i for i in getattr(items, "items", ()) if i.label in ("word", "B", "M", "c", "h", "t", "C")]
        found[f"completion {word}"] = [await client.completion_item_resolve_async(item) for item in own]
    for target in ("keras", "torch"):
        found[target] = (await editor.ask("nndsl/code", uri=document.uri, target=target))._asdict()
    found["graph"] = (await editor.ask("nndsl/graph", uri=document.uri))._asdict()
    plain = converters.get_converter().unstructure
    return {name: json.loads(json.dumps(plain(value))) for name, value in found.items()}


def texts(found: Any, key: str = "") -> list[tuple[str, str]]:
    """The texts that are shown, each with the key under which it stands."""
    if isinstance(found, dict):
        markup = found.get("kind") == "markdown"
        return [
            each
            for name, value in found.items()
            if name not in ("uri", "data", "textEdit", "insertText", "filterText", "sortText", "target", "href")
            for each in texts(value, "markdown" if markup and name == "value" else name)
        ]
    if isinstance(found, list):
        return [each for value in found for each in texts(value, key)]
    return [(key, found)] if isinstance(found, str) else []


def kinds(parser: Any, shown: list[tuple[str, str]]) -> set[str]:
    """What a reader makes of the Markdown, without the words."""
    tokens = [token for key, text in shown if key == "markdown" for token in parser.parse(text)]
    inside = {child.type for token in tokens for child in token.children or ()}
    return ({token.type for token in tokens} | inside) - {"text", "text_special", "softbreak"}


@pytest.mark.parametrize("name", SOME)
async def test_what_is_sent(editor: Editor, name: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    parser = markdown_it.MarkdownIt("gfm-like", {"linkify": False})
    text = STRINGS[name]
    raw = " ".join(text.splitlines()).replace("\0", "")
    outside = editor.folder.parent
    for program in (RIGHT, WRONG):
        given = await sent(editor, program.format(text=quoted(text), raw=raw))
        twin = await sent(editor, program.format(text=quoted(TWIN), raw=TWIN))
        assert (program is RIGHT) == (twin["graph"]["problem"] is None), twin["graph"]
        for asked, answer in given.items():
            shown = texts(answer)
            for key, each in shown:
                odd = {c for c in each if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
                assert not odd, (asked, key, each)
            more = kinds(parser, shown) - kinds(parser, texts(twin[asked]))
            assert more <= {"paragraph_open", "paragraph_close", "inline", "code_inline"}, (asked, more)
        for link in given["links"] or ():
            assert link["target"].startswith(editor.folder.as_uri()), link
        for address in re.findall(r'"(?:uri|href|target)": "([^"]*)"', json.dumps(given)):
            assert address.startswith("file://") and f"{outside.as_uri()}/etc" not in address, address
        if given["graph"]["svg"] and twin["graph"]["svg"]:
            trees = [ElementTree.fromstring(one["graph"]["svg"]) for one in (given, twin)]
            assert [e.tag for e in trees[0].iter()] == [e.tag for e in trees[1].iter()]
