"""The line to the relay is encrypted and its owner known, or nothing leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from survey_app.mailing.composing import compose
from survey_app.mailing.smtp import Relay, RelayError, without_addresses
from tests.faults.certificates import certificate
from tests.survey_app.mailing import field
from tests.survey_app.mailing.relay import ScriptedRelay, listening
from tests.survey_app.mailing.test_messages import _composition

USER, SECRET = "enquete", "pluie-et-beau-temps"


def authenticator(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    given = (data.login, data.password) if isinstance(data, LoginPassword) else None
    known = given == (USER.encode(), SECRET.encode())
    return AuthResult(success=known, handled=False)


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The TLS of a relay whose authority is named in SSL_CERT_FILE."""
    context, _ = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "127.0.0.1.pem"))
    return context


def hand_over(relay: ScriptedRelay, **settings: Any) -> str:
    line = Relay(field.mail_settings(relay.port, **settings))
    composition = _composition(name="Jean", subject="Objet")
    try:
        line.open()
        return line.deliver(field.SENDER, composition.recipient, compose(composition)).fate
    finally:
        line.close()


def test_starttls_with_a_password(trusted: Any) -> None:
    options = {"tls_context": trusted, "require_starttls": True, "authenticator": authenticator}
    with listening(**options) as relay:
        assert hand_over(relay, security="starttls", user=USER, password=SECRET) == "sent"
        assert len(relay.accepted) == 1


def test_a_wrong_password_is_told_and_not_shown(trusted: Any) -> None:
    options = {"tls_context": trusted, "authenticator": authenticator, "auth_require_tls": True}
    with listening(**options) as relay, pytest.raises(RelayError, match="SMTP_USER") as told:
        hand_over(relay, security="starttls", user=USER, password="autre")
    assert "autre" not in str(told.value)


def test_an_unknown_certificate_stops_everything(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path, "127.0.0.1")
    with listening(tls_context=context) as relay, pytest.raises(RelayError, match="certificat"):
        hand_over(relay, security="starttls")
    assert relay.accepted == []


def test_a_relay_that_offers_no_encryption_gets_nothing_in_clear() -> None:
    with listening() as relay, pytest.raises(RelayError, match="SMTP_SECURITY"):
        hand_over(relay, security="starttls")
    assert relay.accepted == []


def test_an_unknown_name_is_told() -> None:
    line = Relay(field.mail_settings(25, host="relais.invalid"))
    with pytest.raises(RelayError, match="SMTP_HOST"):
        line.open()


def test_a_relay_that_does_not_speak_tls_at_once_is_told() -> None:
    with listening() as relay, pytest.raises(RelayError, match=r"n’est pas joignable|ne répond pas"):
        hand_over(relay, security="tls")


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (b"550 <maire@commune.fr>: no", "550 …: no"),
        ("Utilisateur élu@été.fr inconnu", "Utilisateur … inconnu"),
        (b"\xff\x00 brut\r\n suite", "� brut suite"),
        (b"x" * 1000, "x" * 300),
    ],
)
def test_no_address_of_a_reply_is_kept(reply: bytes | str, kept: str) -> None:
    assert without_addresses(reply) == kept
