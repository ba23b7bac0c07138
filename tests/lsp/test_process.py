"""The server as a process: how it begins and how it ends."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

SERVER = [sys.executable, "-m", "nndsl", "lsp", "--stdio"]


def test_it_ends_when_its_client_is_gone() -> None:
    done = subprocess.run(SERVER, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_it_survives_what_is_no_message() -> None:
    text = b'Content-Length: 5\r\n\r\n{"a":'
    done = subprocess.run(SERVER, input=text, capture_output=True, timeout=60)
    assert done.returncode == 0
    assert b"Error in server" in done.stdout


@pytest.mark.skipif(signal.getsignal(signal.SIGINT) == signal.SIG_IGN, reason="the caller ignores Ctrl-C")
def test_ctrl_c_ends_it_at_a_terminal() -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(SERVER, stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(follower)
    try:
        assert process.stderr is not None
        assert b"for editors" in process.stderr.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    finally:
        process.kill()
        os.close(leader)


def test_without_its_package_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['pygls'] = None; from nndsl.cli.main import main; sys.exit(main(['lsp']))"
    done = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert done.returncode == 2
    assert b"pip install 'nndsl[lsp]'" in done.stderr
