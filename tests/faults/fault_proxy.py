"""Stands before a server and does to each exchange what networks do. One exchange per connection.

What becomes of a request is decided by `choose`, so a seed decides it; the faults are the table `FAULTS`.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

LONGEST_WAIT = 20
LATE_SECONDS = 0.4
_RECORD = re.compile(rb"^PUT /api/v1/records/([0-9a-f-]{36}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_KEEPING = re.compile(rb"\r\nconnection: *[^\r]*", re.IGNORECASE)
_PAGE = b"<!doctype html><title>Wi-Fi</title><p>Connectez-vous"


def _page(status: str, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nConnection: close\r\n{more}"
    return f"{head}Content-Length: {len(_PAGE)}\r\n\r\n".encode() + _PAGE


@dataclass
class Exchange:
    """One request and where its answer goes."""

    client: socket.socket
    request: bytes
    port: int

    @property
    def record(self) -> str | None:
        """The id of the record it brings."""
        found = _RECORD.match(self.request)
        return found[1].decode() if found else None

    @property
    def body_at(self) -> int:
        """Where the head ends."""
        return self.request.index(b"\r\n\r\n") + 4

    def ask(self, request: bytes | None = None) -> bytes:
        """The server's whole answer; OSError where there is none."""
        with socket.create_connection(("127.0.0.1", self.port), LONGEST_WAIT) as server:
            server.sendall(self.request if request is None else request)
            answer = b"".join(iter(lambda: server.recv(65_536), b""))
        if not answer:
            raise ConnectionResetError
        return answer

    def give(self, answer: bytes) -> None:
        """To whoever asked."""
        self.client.sendall(answer)

    def reset(self) -> None:
        """As a network does that has forgotten the connection."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()


def request_lost(exchange: Exchange) -> None:
    exchange.reset()


def request_truncated(exchange: Exchange) -> None:
    half = (exchange.body_at + len(exchange.request)) // 2
    with socket.create_connection(("127.0.0.1", exchange.port), LONGEST_WAIT) as server:
        server.sendall(exchange.request[:half])
    exchange.reset()


def request_changed(exchange: Exchange) -> None:
    changed = bytearray(exchange.request)
    changed[(exchange.body_at + len(changed)) // 2] ^= 1
    exchange.give(exchange.ask(bytes(changed)))


def request_doubled(exchange: Exchange) -> None:
    other = threading.Thread(target=_ask_quietly, args=(exchange,), daemon=True)
    other.start()
    exchange.give(exchange.ask())


def request_late(exchange: Exchange) -> None:
    """It arrives after those that were sent after it, and after its own repetition."""
    exchange.reset()
    time.sleep(LATE_SECONDS)
    exchange.ask()


def answer_lost(exchange: Exchange) -> None:
    exchange.ask()
    exchange.reset()


def answer_truncated(exchange: Exchange) -> None:
    answer = exchange.ask()
    exchange.give(answer[: len(answer) // 2])


def answer_slow(exchange: Exchange) -> None:
    answer = exchange.ask()
    for start in range(0, len(answer), 200):
        exchange.give(answer[start : start + 200])
        time.sleep(0.02)


def answer_of_another_network(exchange: Exchange) -> None:
    exchange.give(_page("200 OK"))


def answer_of_a_gateway(exchange: Exchange) -> None:
    exchange.give(_page("502 Bad Gateway"))


def answer_busy(exchange: Exchange) -> None:
    exchange.give(_page("503 Service Unavailable", "Retry-After: 1\r\n"))


def record_refused_as_unreadable(exchange: Exchange) -> None:
    """By something on the way that takes nothing it does not know: the tablet sets the record aside."""
    exchange.give(_page("400 Bad Request"))


def record_refused_as_too_large(exchange: Exchange) -> None:
    exchange.give(_page("413 Content Too Large"))


def record_refused_after_it_was_stored(exchange: Exchange) -> None:
    """The server has it, the tablet sets it aside: sent again, it must not be there twice."""
    exchange.ask()
    exchange.give(_page("413 Content Too Large"))


def _ask_quietly(exchange: Exchange) -> None:
    with contextlib.suppress(OSError):
        exchange.ask()


FAULTS: Final[dict[str, Callable[[Exchange], None]]] = {
    fault.__name__: fault
    for fault in (
        *(request_lost, request_truncated, request_changed, request_doubled, request_late),
        *(answer_lost, answer_truncated, answer_slow),
        *(answer_of_another_network, answer_of_a_gateway, answer_busy),
        *(record_refused_as_unreadable, record_refused_as_too_large, record_refused_after_it_was_stored),
    )
}


@dataclass
class FaultProxy:
    """Listens on a port of its own and speaks with one server."""

    server_port: int
    choose: Callable[[Exchange], str | None]
    """The fault that this exchange meets, if any."""
    port: int = 0
    on_their_way: set[str] = field(default_factory=set)
    """The records whose request was read and not answered."""

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Nobody gets through any more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(LONGEST_WAIT)
        with contextlib.suppress(OSError), client:
            request = _read_request(client)
            if request:
                self._pass_on(Exchange(client, request, self.server_port))

    def _pass_on(self, exchange: Exchange) -> None:
        record = exchange.record
        if record:
            self.on_their_way.add(record)
        fault = self.choose(exchange)
        try:
            FAULTS[fault](exchange) if fault else exchange.give(exchange.ask())
        except OSError:
            with contextlib.suppress(OSError):
                exchange.reset()
        finally:
            self.on_their_way.discard(record or "")


def _read_request(client: socket.socket) -> bytes:
    """Head and body, asking the server to close the connection afterwards."""
    read = b""
    while b"\r\n\r\n" not in read:
        more = client.recv(65_536)
        if not more:
            return b""
        read += more
    head, _, body = read.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    missing = int(length[1]) - len(body) if length else 0
    while missing > 0:
        more = client.recv(65_536)
        if not more:
            return b""
        body += more
        missing -= len(more)
    return _KEEPING.sub(b"", head) + b"\r\nConnection: close\r\n\r\n" + body


@contextlib.contextmanager
def fault_proxy(server_port: int, choose: Callable[[Exchange], str | None]) -> Iterator[FaultProxy]:
    """A proxy for as long as it is needed."""
    proxy = FaultProxy(server_port, choose)
    try:
        yield proxy
    finally:
        proxy.close()
