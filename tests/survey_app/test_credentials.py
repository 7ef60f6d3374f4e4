"""Secrets are derived, signatures and codes hold for one thing only; bursts are seen without an address."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from survey_app.responses.bursts import KEY_LIFE_SECONDS, LARGEST_USUAL_NUMBER, WINDOW_SECONDS, BurstCounter
from survey_app.responses.credentials import (
    content_digest,
    device_secret,
    sign_request,
    verify_request,
)

SECRET = device_secret("master", "device-1")


def test_each_device_has_its_own_secret() -> None:
    assert device_secret("master", "device-1") == SECRET
    assert len({SECRET, device_secret("master", "device-2"), device_secret("other", "device-1")}) == 3


def test_a_signature_is_the_documented_hmac() -> None:
    message = f"PUT\n/api/v1/records/x\n{hashlib.sha256(b'body').hexdigest()}"
    expected = hmac.new(SECRET, message.encode(), hashlib.sha256).hexdigest()
    assert sign_request(SECRET, "put", "/api/v1/records/x", b"body") == expected
    assert verify_request(SECRET, "PUT", "/api/v1/records/x", b"body", expected)


@pytest.mark.parametrize(
    "method, path, body, secret",
    [
        ("POST", "/p", b"body", SECRET),
        ("PUT", "/q", b"body", SECRET),
        ("PUT", "/p", b"bodY", SECRET),
        ("PUT", "/p", b"body", device_secret("master", "device-2")),
    ],
)
def test_a_signature_holds_for_one_request_of_one_device(
    method: str, path: str, body: bytes, secret: bytes
) -> None:
    assert not verify_request(secret, method, path, body, sign_request(SECRET, "PUT", "/p", b"body"))


@pytest.mark.parametrize("signature", ["", "é", "zz" * 32, "\x00"])
def test_an_odd_signature_is_only_wrong(signature: str) -> None:
    assert not verify_request(SECRET, "PUT", "/p", b"", signature)


def test_the_content_digest_is_that_of_the_standard() -> None:
    # RFC 9530, appendix B.1
    body = b'{"hello": "world"}\n'
    assert content_digest(body) == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    assert base64.b64decode(content_digest(b"")[9:-1]) == hashlib.sha256(b"").digest()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def burst_after(counter: BurstCounter, address: str) -> int:
    return next(number for number in range(10_000) if counter.observe(address, f"{number}"))


@pytest.mark.abuse("01")
def test_a_burst_of_one_origin_is_flagged_and_others_are_not() -> None:
    counter = BurstCounter(Clock())
    assert burst_after(counter, "192.0.2.7") == LARGEST_USUAL_NUMBER
    assert counter.observe("192.0.2.8", "another") == ()
    assert counter.observe(None, "another") == ()


def test_one_form_sent_over_and_over_is_no_burst() -> None:
    counter = BurstCounter(Clock())
    sent = [counter.observe("192.0.2.7", "the same") for _ in range(10 * LARGEST_USUAL_NUMBER)]
    assert set(sent) == {()}


def test_the_addresses_of_one_ipv6_subscriber_are_one_origin() -> None:
    counter = BurstCounter(Clock())
    flags = [
        counter.observe(f"2001:db8::{number:x}", f"{number}") for number in range(LARGEST_USUAL_NUMBER + 1)
    ]
    assert flags[-1] == ("burst",)
    assert counter.observe("2001:db8:0:1::1", "another") == ()


def test_ipv4_addresses_written_as_ipv6_are_origins_of_their_own() -> None:
    counter = BurstCounter(Clock())
    burst_after(counter, "::ffff:192.0.2.7")
    assert counter.observe("192.0.2.7", "another") == ("burst",)
    assert counter.observe("::ffff:192.0.2.8", "another") == ()


def test_a_burst_is_over_when_its_window_is() -> None:
    clock = Clock()
    counter = BurstCounter(clock)
    burst_after(counter, "192.0.2.7")
    clock.now += WINDOW_SECONDS + 1
    assert counter.observe("192.0.2.7", "another") == ()


def test_no_address_is_kept_and_the_key_changes() -> None:
    clock = Clock()
    counter = BurstCounter(clock)
    counter.observe("192.0.2.7", "another")
    (first,) = counter._recent
    assert b"192" not in first
    assert len(first) == 32
    clock.now += KEY_LIFE_SECONDS + 1
    counter.observe("192.0.2.7", "another")
    assert first not in counter._recent
