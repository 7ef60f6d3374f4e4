"""The settings of the mail relay: a bad one stops the start with one line that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from survey_app.mail_settings import MailSettings, read_mail_settings
from survey_app.settings import SettingsError, read_settings
from tests.survey_app.test_settings import GOOD

RELAY = {"SMTP_HOST": "relais.exemple.fr", "MAIL_SENDER": "enquete@exemple.fr"}


def test_without_settings_mail_waits_and_says_what_is_lacking() -> None:
    assert read_mail_settings({}).lacks == ("SMTP_HOST", "MAIL_SENDER")


def test_a_relay_and_a_sender_are_enough() -> None:
    found = read_settings({**GOOD, **RELAY}).mail
    assert (found.lacks, found.port, found.security) == ((), 587, "starttls")
    assert found.return_address("a1b2") == "enquete+a1b2@exemple.fr"


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("TLS", 465), ("none", 25)])
def test_each_way_of_speaking_has_its_usual_port(security: str, port: int) -> None:
    assert read_mail_settings({**RELAY, "SMTP_SECURITY": security}).port == port


def test_a_domain_with_accents_is_kept_as_the_network_writes_it() -> None:
    assert (
        read_mail_settings({"MAIL_SENDER": "enquete@deux-sèvres.fr"}).sender
        == "enquete@xn--deux-svres-46a.fr"
    )


def test_the_password_comes_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("pluie-et-beau-temps\n")
    found = read_mail_settings({**RELAY, "SMTP_PASSWORD_FILE": str(tmp_path / "secret")})
    assert found.password == "pluie-et-beau-temps"
    assert found.password not in repr(found)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SMTP_PORT", "abc"),
        ("SMTP_PORT", "70000"),
        ("SMTP_SECURITY", "ssl"),
        ("SMTP_PASSWORD_FILE", "/nowhere/at/all"),
        ("MAIL_SENDER", "enquete"),
        ("MAIL_SENDER", "a@b.fr\nBcc: x@y.fr"),
        ("MAIL_SENDER", "élu@exemple.fr"),
        ("MAIL_RETURN_PATH", "retours@"),
        ("BOUNCE_FOLDER", "/nowhere/at/all"),
    ],
)
def test_a_bad_value_is_one_line_that_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable) as told:
        read_settings({**GOOD, variable: value})
    assert "\n" not in str(told.value).replace(value, "")


def test_a_password_never_goes_over_the_network_in_clear() -> None:
    with pytest.raises(ValueError, match="SMTP_SECURITY"):
        MailSettings(host="relais.exemple.fr", security="none", user="a", password="b")
    assert MailSettings(host="127.0.0.1", security="none", user="a", password="b").port == 25
