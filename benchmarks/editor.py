"""How long an editor waits: from an edit to the problems and to the shapes of the new text, over the protocol, with a
server of its own. Files of 300 and 3,000 lines, each edit in another line; half of them break the line."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

EDITS = 30


def text_of(lines: int) -> str:
    """Models of 30 lines each: convolutions with names, a branch, an output."""
    model = """\
# Model {n}.
model M{n} {{
    input image{n}: float[32, 32, 3]
    a = image{n} -> Conv2D(16, 3, padding=same, activation=relu)
    b = a -> Conv2D(16, 3, padding=same, use_bias=false) -> BatchNormalization() -> ReLU()
    c = (a, b) -> Add()
    d = c -> branch {{
        Conv2D(8, 1, activation=relu)
        Conv2D(8, 1) -> Conv2D(8, 3, padding=same)
        MaxPooling2D(3, strides=1, padding=same) -> Conv2D(8, 1)
    }} -> Concatenate()
    e = d -> Conv2D(24, 3, padding=same) -> LayerNormalization()
    f = (d, e) -> Add() -> ReLU()
    g = f -> MaxPooling2D(2)
    h = g -> Conv2D(32, 3, padding=same) -> BatchNormalization()
    i = h -> Conv2D(32, 3, padding=same) -> BatchNormalization()
    j = (h, i) -> Add() -> ReLU()
    k = j -> GlobalAveragePooling2D()
    l = k -> Dense(64, activation=relu) -> Dropout(0.5)
    m = k -> Dense(64, activation=tanh)
    n = (l, m) -> Multiply()
    output label{n} = n -> Dense(10, activation=softmax)
        with loss=sparse_categorical_crossentropy, metrics=[accuracy]

    train {{
        optimizer  = Adam(1e-3)
        epochs     = 5
        batch_size = 32
    }}
}}
"""
    return "".join(model.format(n=n) for n in range(lines // 30))


async def measure(lines: int) -> tuple[list[float], list[float]]:
    """Seconds to the problems and to the hints, for each edit."""
    client = LanguageClient("benchmark", "1")
    arrived: asyncio.Queue[int | None] = asyncio.Queue()

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def published(params: types.PublishDiagnosticsParams) -> None:
        arrived.put_nowait(params.version)

    @client.feature("nndsl/checked")
    def checked(params: object) -> None:
        pass

    await client.start_io(sys.executable, "-m", "nndsl", "lsp")
    with tempfile.TemporaryDirectory() as folder:
        uri = (Path(folder) / "model.nn").as_uri()
        await client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
        client.initialized(types.InitializedParams())
        text = text_of(lines)
        client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "nndsl", 0, text)))
        await arrived.get()
        problems, hints = [], []
        rows = text.split("\n")
        for version in range(1, EDITS + 1):
            at = next(n for n in range(version * len(rows) // (EDITS + 2), len(rows)) if "Dense(64" in rows[n])
            edited = [*rows]
            edited[at] = edited[at].replace("Dense(64", f"Dense({64 + version}" if version % 2 else "Densee(64")
            change = types.TextDocumentContentChangeWholeDocument("\n".join(edited))
            item = types.VersionedTextDocumentIdentifier(version, uri)
            window = types.Range(types.Position(max(at - 30, 0), 0), types.Position(at + 30, 0))
            asked = types.InlayHintParams(types.TextDocumentIdentifier(uri), window)
            await asyncio.sleep(0.05)
            start = time.perf_counter()
            client.text_document_did_change(types.DidChangeTextDocumentParams(item, [change]))
            waiting = asyncio.ensure_future(client.text_document_inlay_hint_async(asked))
            while await arrived.get() != version:
                pass
            problems.append(time.perf_counter() - start)
            assert await waiting
            hints.append(time.perf_counter() - start)
        await client.shutdown_async(None)
        client.exit(None)
    await client.stop()
    return problems, hints


def main() -> None:
    for lines in (300, 3_000):
        problems, hints = asyncio.run(measure(lines))
        print(
            f"{lines:>6,} lines: problems {1e3 * statistics.median(problems):.0f} ms, "
            f"hints {1e3 * statistics.median(hints):.0f} ms after an edit (medians of {EDITS}; "
            f"slowest {1e3 * max(hints):.0f} ms)"
        )


if __name__ == "__main__":
    main()
