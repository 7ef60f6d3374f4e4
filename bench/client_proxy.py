"""A compressing proxy like the nginx of `docs/installer.md`, and the files of the floor page behind one."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent
LEVEL, SMALLEST = 6, 512
"""What nginx does: gzip level, and the length from which it compresses."""
COMPRESSED = ("text/", "application/javascript", "application/json", "application/manifest+json", "image/svg")
OF_THE_HOP = frozenset({"connection", "keep-alive", "server", "date", "content-length", "transfer-encoding"})
FOREVER = "max-age=31536000, immutable"
FLOOR_TYPES = {
    ".html": ("text/html; charset=utf-8", "no-cache"),
    ".css": ("text/css; charset=utf-8", FOREVER),
    ".js": ("text/javascript; charset=utf-8", FOREVER),
}
Headers = Sequence[tuple[str, str]]


class _Quiet(BaseHTTPRequestHandler):
    """Connections are kept, and nothing is logged."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name of the base class)
        """Say nothing."""

    def reply(self, status: int, headers: Headers, content: bytes) -> None:
        """Send the whole answer in one write."""
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != http.HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Proxy(_Quiet):
    """Hands requests on and compresses the answers."""

    upstream: int

    def do_GET(self) -> None:
        """Answer one request."""
        answer, content = self._ask()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in OF_THE_HOP]
        if _is_compressible(answer, content) and "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, LEVEL, mtime=0)
            headers = [*map(_weakened, headers), ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        self.reply(answer.status, headers, content)

    do_POST = do_PUT = do_GET  # noqa: N815 (names of the base class)

    def _ask(self) -> tuple[http.client.HTTPResponse, bytes]:
        length = int(self.headers.get("Content-Length", 0))
        sent = {name: value for name, value in self.headers.items() if name.lower() not in OF_THE_HOP}
        sent.pop("Accept-Encoding", None)
        with closing(http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)) as connection:
            connection.request(self.command, self.path, self.rfile.read(length) or None, sent)
            answer = connection.getresponse()
            return answer, answer.read()


class _FloorFiles(_Quiet):
    """The floor page, with the caching headers that our files have too."""

    def do_GET(self) -> None:
        """Answer one request."""
        name = self.path.lstrip("/")
        path = HERE / "client_floor_worker.js" if name == "sw.js" else HERE / "floor" / name
        if "/" in name or not path.is_file() or path.suffix not in FLOOR_TYPES:
            return self.reply(404, [], b"")
        content, (media_type, caching) = path.read_bytes(), FLOOR_TYPES[path.suffix]
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = [("Content-Type", media_type), ("Cache-Control", caching), ("ETag", etag)]
        if self.headers.get("If-None-Match", "").removeprefix("W/") == etag:
            return self.reply(304, headers, b"")
        return self.reply(200, headers, content)


def _is_compressible(answer: http.client.HTTPResponse, content: bytes) -> bool:
    return len(content) >= SMALLEST and answer.headers.get_content_type().startswith(COMPRESSED)


def _weakened(header: tuple[str, str]) -> tuple[str, str]:
    """As nginx does: a compressed body is no longer the very bytes that a strong ETag names."""
    name, value = header
    return (name, f"W/{value}") if name.lower() == "etag" and not value.startswith("W/") else header


@contextmanager
def compressed(port: int) -> Iterator[str]:
    """What listens on this port, compressed; gives its address."""
    handler = type("_ProxyHere", (_Proxy,), {"upstream": port})
    with _running(handler) as own_port:
        yield f"http://127.0.0.1:{own_port}"


@contextmanager
def floor_page() -> Iterator[str]:
    """The address of the floor, compressed as ours is."""
    with _running(_FloorFiles) as port, compressed(port) as address:
        yield f"{address}/index.html"


@contextmanager
def _running(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
