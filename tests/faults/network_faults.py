"""What becomes of one exchange on a bad network, for `proxy.py`."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.faults.proxy import END_OF_HEAD, LONGEST_WAIT, Exchange, Fault, closing, kept_open, with_body

UNTOUCHED = 8
"""Bytes at the end of a message."""


def request_lost(exchange: Exchange) -> None:
    """The server hears nothing of it."""
    exchange.reset()


def answer_lost(exchange: Exchange) -> None:
    """The server has done its work; nobody learns of it."""
    exchange.ask()
    exchange.reset()


def request_swallowed(exchange: Exchange) -> None:
    """Half of it goes on to the server, then nothing moves any more; nobody is told."""
    half = len(exchange.head) + len(exchange.body) // 2
    with socket.create_connection(("127.0.0.1", exchange.server_port), LONGEST_WAIT) as server:
        server.sendall(exchange.request[:half])
        exchange.calm.wait(LONGEST_WAIT)
    exchange.reset()


def answer_swallowed(exchange: Exchange) -> None:
    """The server's answer begins to come, then nothing moves any more."""
    exchange.give(exchange.ask()[:-20])
    exchange.calm.wait(LONGEST_WAIT)
    exchange.reset()


def dies_when_used_again(exchange: Exchange) -> None:
    """What was open is closed just when it is used again: the server got the request, the answer is lost."""
    answer = exchange.ask()
    if exchange.number == 1:
        exchange.give(answer)
    else:
        exchange.client.close()


def body_cut(keep: float) -> Fault:
    """Only this share of the body arrives, with a length that fits, as some proxies do."""

    def fault(exchange: Exchange) -> None:
        exchange.give(exchange.ask(with_body(exchange.head, _share(exchange.body, keep))))

    return fault


def body_breaks_off(keep: float) -> Fault:
    """Only this share of the body arrives, then the sender seems gone; the answer comes all the same."""

    def fault(exchange: Exchange) -> None:
        with socket.create_connection(("127.0.0.1", exchange.server_port), LONGEST_WAIT) as server:
            server.sendall(closing(exchange.head + _share(exchange.body, keep)))
            server.shutdown(socket.SHUT_WR)
            exchange.give(kept_open(b"".join(iter(lambda: server.recv(65_536), b""))))

    return fault


def _share(body: bytes, keep: float) -> bytes:
    return body[: int(len(body) * keep)]


def bit_flipped_in_request(exchange: Exchange) -> None:
    """One bit of the sealed body, which stays readable JSON."""
    exchange.give(exchange.ask(flipped(exchange.request)))


def bit_flipped_in_answer(exchange: Exchange) -> None:
    """One bit of the receipt."""
    exchange.give(flipped(exchange.ask()))


def flipped(message: bytes) -> bytes:
    """A letter or digit near its end has its lowest bit changed, and is one still.

    Not the very last: in Base64 its bits may mean nothing, and the message would be refused for its form.
    """
    places = range(len(message) - UNTOUCHED)
    at = max(place for place in places if bytes([message[place], message[place] ^ 1]).isalnum())
    return message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]


def answered(status: str, body: bytes = b"", **headers: str) -> Fault:
    """Somebody else answers in the server's place."""
    lines = {
        "Content-Type": "text/html",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = f"HTTP/1.1 {status}" + "".join(f"\r\n{name}: {value}" for name, value in lines.items())
    return lambda exchange: exchange.give(with_body(head.encode() + END_OF_HEAD, body))


def answer_changed(change: Callable[[bytes], bytes]) -> Fault:
    """The server's answer with another body."""

    def fault(exchange: Exchange) -> None:
        head, _, body = exchange.ask().partition(END_OF_HEAD)
        exchange.give(with_body(head + END_OF_HEAD, change(body)))

    return fault
