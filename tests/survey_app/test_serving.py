"""The server writes down no address, not even of whoever sends nonsense."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

from survey_app.database import make_engine
from survey_app.migrations import upgrade
from tests.browsers import free_port

SERVE = """
import sys
from pathlib import Path
from survey_app.serving import Address, serve
from survey_app.settings import testing
import survey_app.serving as serving
if sys.argv[3] == "unprotected":
    serving.without_addresses = lambda record: True
address = Address("127.0.0.1", int(sys.argv[2]))
serve(testing(data_folder=Path(sys.argv[1])), address, lambda: print("ready", flush=True))
"""
PATIENCE = 60
"""Seconds until a worker process of a busy machine has made its application."""
NONSENSE = b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n"


def log_after_nonsense(folder: Path, protection: str) -> str:
    """What the server wrote after one request that is no HTTP."""
    folder.mkdir()
    upgrade(make_engine(f"sqlite:///{folder / 'survey.db'}"))
    port = free_port()
    command = [sys.executable, "-c", SERVE, str(folder), str(port), protection]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        try:
            assert server.stdout.readline() == b"ready\n"
            send_nonsense(port)
        finally:
            server.terminate()  # nobody waits for ever for a server whose test has failed
        log = server.stderr.read().decode()
        server.wait(30)
    return log


def send_nonsense(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(NONSENSE)
            if connection.recv(100):
                return
        if time.monotonic() > deadline:
            raise AssertionError("the server never answered")


def test_nonsense_leaves_no_address_in_the_log(tmp_path: Path) -> None:
    assert "127.0.0.1" not in log_after_nonsense(tmp_path / "protected", "protected")


def test_the_control_without_the_filter_writes_the_address_down(tmp_path: Path) -> None:
    assert "from ip=127.0.0.1" in log_after_nonsense(tmp_path / "unprotected", "unprotected")
