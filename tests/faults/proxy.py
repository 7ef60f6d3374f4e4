"""Stands between a tablet and its server, message by message, and does to them what networks do.

Connections with the tablet stay open, as browsers keep them. What becomes of a request is a `Fault`, a
function of the exchange (`network_faults.py`); without one it is passed on and answered.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

LONGEST_WAIT: Final = 20
END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_OF_THE_HOP: Final = re.compile(rb"\r\n(?:connection|keep-alive|content-length):[^\r]*", re.IGNORECASE)


@dataclass
class Exchange:
    """One request, and where its answer goes."""

    client: socket.socket
    request: bytes
    number: int
    """Which one it is on its connection, from 1."""
    server_port: int
    calm: threading.Event
    """Set when the fault is over: who holds a connection then lets go."""

    @property
    def line(self) -> tuple[str, str]:
        """Method and path."""
        method, path, *_ = self.request.split(b" ", 2)
        return method.decode(), path.decode()

    @property
    def head(self) -> bytes:
        """Up to the empty line, with it."""
        return self.request[: self.request.index(END_OF_HEAD) + len(END_OF_HEAD)]

    @property
    def body(self) -> bytes:
        """All the rest."""
        return self.request[len(self.head) :]

    def ask(self, request: bytes | None = None) -> bytes:
        """The server's whole answer, ready to be passed on; OSError where there is none."""
        with socket.create_connection(("127.0.0.1", self.server_port), LONGEST_WAIT) as server:
            server.sendall(closing(self.request if request is None else request))
            answer = b"".join(iter(lambda: server.recv(65_536), b""))
        if not answer:
            raise ConnectionResetError
        return kept_open(answer)

    def give(self, answer: bytes) -> None:
        """To whoever asked."""
        self.client.sendall(answer)

    def reset(self) -> None:
        """As a network does that has forgotten the connection."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()


Fault = Callable[[Exchange], None]


def with_body(head: bytes, body: bytes) -> bytes:
    """The message with this body and its length."""
    plain = _OF_THE_HOP.sub(b"", head).removesuffix(END_OF_HEAD)
    return plain + f"\r\nContent-Length: {len(body)}".encode() + END_OF_HEAD + body


def closing(request: bytes) -> bytes:
    """The request, asking the server to close the connection afterwards."""
    head, _, body = request.partition(END_OF_HEAD)
    kept = re.sub(rb"\r\n(?:connection|keep-alive):[^\r]*", b"", head, flags=re.IGNORECASE)
    return kept + b"\r\nConnection: close" + END_OF_HEAD + body


def kept_open(answer: bytes) -> bytes:
    """The answer as on a connection that stays open."""
    head, _, body = answer.partition(END_OF_HEAD)
    if b" 304 " in head.partition(b"\r\n")[0]:
        return _OF_THE_HOP.sub(b"", head).replace(b"HTTP/1.0", b"HTTP/1.1", 1) + END_OF_HEAD
    return with_body(head.replace(b"HTTP/1.0", b"HTTP/1.1", 1) + END_OF_HEAD, body)


@dataclass
class FaultProxy:
    """Listens on a port of its own and speaks with one server."""

    server_port: int
    certificate: ssl.SSLContext | None = None
    """Speaks TLS with it."""
    seen: list[tuple[float, str, str]] = field(default_factory=list)
    """When each request came, its method and path."""
    choose: Callable[[Exchange], Fault | None] = field(default=lambda _exchange: None)

    def __post_init__(self) -> None:
        self._calm = threading.Event()
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def address(self) -> str:
        """Of the tablet's start page."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}/tablette/"

    def meet(self, fault: Fault, method: str = "", *, path: str = "/api/v1/", times: int = 1_000_000) -> None:
        """From now on such requests meet this fault, so many; by default all that a tablet says."""
        left = iter(range(times))
        self._calm.clear()

        def choose(exchange: Exchange) -> Fault | None:
            here = exchange.line[0].startswith(method) and path in exchange.line[1]
            return fault if here and next(left, None) is not None else None

        self.choose = choose

    def be_calm(self) -> None:
        """Everything passes again, and what was held is let go."""
        self.choose = lambda _exchange: None
        self._calm.set()

    def records_seen(self) -> list[float]:
        """When a record was sent."""
        return [moment for moment, method, _ in self.seen if method == "PUT"]

    def drop_connections(self) -> None:
        """All that are open."""
        for client in list(self._open):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Nobody gets through any more."""
        self._calm.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.drop_connections()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(LONGEST_WAIT)
        with contextlib.suppress(OSError), self._opened(client) as peer:
            number = 0
            while request := read_request(peer):
                number += 1
                exchange = Exchange(peer, request, number, self.server_port, self._calm)
                self.seen.append((time.monotonic(), *exchange.line))
                fault = self.choose(exchange)
                try:
                    fault(exchange) if fault else exchange.give(exchange.ask())
                except OSError:
                    exchange.reset()

    @contextlib.contextmanager
    def _opened(self, client: socket.socket) -> Iterator[socket.socket]:
        with (
            client,
            self.certificate.wrap_socket(client, server_side=True) if self.certificate else client as peer,
        ):
            self._open.add(peer)
            try:
                yield peer
            finally:
                self._open.discard(peer)


def read_request(client: socket.socket) -> bytes:
    """Head and body of the next one; nothing where the other side is gone."""
    read = b""
    while END_OF_HEAD not in read:
        more = client.recv(65_536)
        if not more:
            return b""
        read += more
    head, _, body = read.partition(END_OF_HEAD)
    length = _LENGTH.search(head)
    while length and len(body) < int(length[1]):
        more = client.recv(65_536)
        if not more:
            return b""
        body += more
    return head + END_OF_HEAD + body


@contextlib.contextmanager
def fault_proxy(server_port: int, certificate: ssl.SSLContext | None = None) -> Iterator[FaultProxy]:
    """A proxy for as long as it is needed."""
    proxy = FaultProxy(server_port, certificate)
    try:
        yield proxy
    finally:
        proxy.close()
