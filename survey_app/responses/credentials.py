"""Who sends: device secrets (derived, never stored), request signatures, receipt codes.

One key, one purpose: each use derives its own key from the master key under its own label.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True)
class Credential:
    """What is believed about a sender, because it was proved, not because the record says so."""

    mode: str
    """Collection mode: tablet, website, paper."""
    device_id: str | None = None
    site: str | None = None
    """The device's site; None where the site comes from the address or the form (website, paper)."""
    revoked: bool = False


def _derive(key: bytes | str, label: str) -> bytes:
    return hmac.digest(key.encode() if isinstance(key, str) else key, label.encode(), "sha256")


def device_secret(master_key: str, device_id: str) -> bytes:
    """The 32-byte secret of a device. Whoever holds the master key can make it again; nobody stores it."""
    return _derive(master_key, f"device\n{device_id}")


def sign_request(secret: bytes, method: str, path: str, body: bytes) -> str:
    """The ``X-Signature`` of a request: HMAC over method, path and the hash of the body."""
    return _signature(secret, method, path, hashlib.sha256(body).digest())


def _signature(secret: bytes, method: str, path: str, digest: bytes) -> str:
    return _derive(secret, f"{method.upper()}\n{path}\n{digest.hex()}").hex()


def verify_request(secret: bytes, method: str, path: str, body: bytes, signature: str) -> bool:
    """Whether this signature is the device's, in constant time."""
    return hmac.compare_digest(sign_request(secret, method, path, body).encode(), signature.lower().encode())


def answer_mac(secret: bytes, asked: bytes, answer: bytes) -> str:
    """The code by which a tablet knows that the server itself gave this answer to that call."""
    digests = (hashlib.sha256(body).hexdigest() for body in (asked, answer))
    return _derive(secret, "\n".join(("answer", *digests))).hex()


def verify_announced(secret: bytes, method: str, path: str, announced: str, signature: str) -> bool:
    """Whether the signature is the device's for a body of this ``Content-Digest``, which nobody has read."""
    try:
        digest = base64.b64decode(announced.removeprefix("sha-256=:").removesuffix(":"), validate=True)
    except ValueError:
        return False
    expected = _signature(secret, method, path, digest)
    return hmac.compare_digest(expected.encode(), signature.lower().encode())


def content_digest(body: bytes) -> str:
    """The ``Content-Digest`` header (RFC 9530) of a body."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def receipt_mac(key: bytes, *, id: str, revision: int, sha256: str, epoch: str, stored_at: str) -> str:  # noqa: A002
    """The code by which a sender recognises a receipt of this server."""
    return _derive(key, "\n".join(("receipt", id, str(revision), sha256, epoch, stored_at))).hex()
