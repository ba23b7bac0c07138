"""A server in a process of its own for each module of tests, and an editor that talks to it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

pytest.importorskip("pygls")
pytest_lsp = pytest.importorskip("pytest_lsp")

from lsprotocol import types  # noqa: E402
from pytest_lsp import ClientServerConfig, LanguageClient  # noqa: E402

from tests.lsp.editor import Editor  # noqa: E402

SERVER = [sys.executable, "-m", "nndsl", "lsp"]
COMMANDS = ["nndsl.showCode", "nndsl.showGraph", "nndsl.run"]


@pytest_lsp.fixture(config=ClientServerConfig(server_command=SERVER), scope="module")
async def client(lsp_client: LanguageClient) -> AsyncIterator[None]:
    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register_capability(_: LanguageClient, params: types.RegistrationParams) -> None:
        """The server asks to be told of files that change."""

    @lsp_client.feature("nndsl/checked")
    def checked(_: LanguageClient, params: Any) -> None:
        """Every check is announced."""
        lsp_client.heard.append((params.uri, params.version))  # type: ignore[attr-defined]

    lsp_client.heard = []  # type: ignore[attr-defined]

    capabilities = pytest_lsp.client_capabilities("visual-studio-code")
    params = types.InitializeParams(capabilities=capabilities, initialization_options={"commands": COMMANDS})
    started = await lsp_client.initialize_session(params)
    lsp_client.started = started  # type: ignore[attr-defined]
    yield
    await lsp_client.shutdown_session()
    bugs = [m.message for m in lsp_client.log_messages if "bug in nndsl" in m.message]
    assert not bugs, bugs[0]


@pytest_asyncio.fixture(loop_scope="module")
async def editor(client: LanguageClient, tmp_path: Path) -> AsyncIterator[Editor]:
    """An editor with an empty project; its files are closed at the end."""
    (tmp_path / "nndsl.toml").write_text("")
    made = Editor(client, tmp_path)
    yield made
    for name in list(made.texts):
        await made.close(name)
