"""A small load client: prepared requests over a few kept-alive connections, latencies of each answer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

CLIENTS = 4


@dataclass(frozen=True)
class Load:
    """What a server did under this load."""

    rate: float
    """Answers per second."""
    p50: float
    p99: float
    """Seconds."""
    refused: int
    """Answers outside 2xx and 3xx."""


def prepared(
    method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, host: str = "127.0.0.1"
) -> bytes:
    """The bytes of one request."""
    lines = {"Host": host, "Connection": "keep-alive", "Content-Length": str(len(body)), **(headers or {})}
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return head.encode() + b"\r\n" + body


def run(port: int, requests: Sequence[bytes], *, clients: int = CLIENTS) -> Load:
    """Send every request once, shared out among the clients."""
    answers: list[tuple[float, int]] = []
    threads = [
        threading.Thread(target=_client, args=(port, list(islice(requests, n, None, clients)), answers))
        for n in range(clients)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    if len(answers) != len(requests):
        raise RuntimeError(f"{len(requests) - len(answers)} requests of {len(requests)} got no answer")
    times = sorted(duration for duration, _ in answers)
    refused = sum(status >= 400 for _, status in answers)  # noqa: PLR2004 (HTTP)
    return Load(len(times) / elapsed, times[len(times) // 2], times[int(len(times) * 0.99)], refused)


def _client(port: int, requests: Sequence[bytes], answers: list[tuple[float, int]]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = connection.makefile("rb")
        for request in requests:
            start = time.perf_counter()
            connection.sendall(request)
            status = _read_answer(reader)
            answers.append((time.perf_counter() - start, status))


def _read_answer(reader: BinaryIO) -> int:
    status = int(reader.readline().split()[1])
    length = 0
    while line := reader.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    reader.read(length)
    return status
