"""How the three browsers of the machine are started in tests, and servers on free loopback ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from werkzeug.serving import make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CHROMIUM = "/usr/bin/chromium"
FIREFOX = "/usr/bin/firefox-esr"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch_arguments(browser_name: str) -> dict[str, Any]:
    """Keyword arguments for Playwright's `launch` or `launch_persistent_context`."""
    if browser_name == "firefox":
        return {"channel": "moz-firefox", "executable_path": FIREFOX}
    return {"executable_path": CHROMIUM, "args": CHROMIUM_ARGUMENTS}


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(application: WSGIApplication, port: int | None = None) -> Iterator[str]:
    """The application on a real socket, in threads; gives its address, stops on leaving."""
    server = make_server("127.0.0.1", port or 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def virtual_display() -> Iterator[str]:
    """An Xvfb display for WebKit, which hangs without one."""
    if not shutil.which("Xvfb"):
        raise RuntimeError("Xvfb is missing: run `make system-packages`")
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1400x1400x24", "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    display = ":" + os.read(reader, 16).decode().strip()
    try:
        yield display
    finally:
        process.terminate()
        process.wait()
        os.close(reader)  # not before: Xvfb writes to it again and ends when nobody holds it
