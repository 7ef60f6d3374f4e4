"""Settings are read once; a bad one stops the start with one line that names it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from survey_app.settings import RetentionTerms, Settings, SettingsError, read_settings
from survey_app.settings import testing as settings_for_tests

GOOD = {
    "SECRET_KEY": "Zt4kP0vRq8mWx2LsYb6JcHd1NfGa5UeQ",
    "DEVICE_MASTER_KEY": "u9XcS3bKe7RmTz1WqLp5VfYh2DnJg8Ao",
}


def test_the_two_secrets_are_enough() -> None:
    settings = read_settings(GOOD)
    assert settings.database_url == f"sqlite:///{Path('var/survey.db').absolute()}"
    assert settings.trusted_hosts == ("127.0.0.1", "localhost", "::1")
    assert not settings.demonstration


def test_everything_can_be_set() -> None:
    settings = read_settings(
        {
            **GOOD,
            "SURVEY_DATA": "/srv/survey",
            "PUBLIC_URL": "https://avis.exemple.gouv.fr",
            "TRUSTED_HOSTS": "avis.exemple.gouv.fr, intranet",
            "TRUSTED_PROXIES": "1",
            "DEMONSTRATION": "oui",
            "MINIMUM_FREE_BYTES": "1000",
            "RETENTION_PRACTICE_DAYS": "3",
        }
    )
    assert settings.database_url == "sqlite:////srv/survey/survey.db"
    assert settings.trusted_hosts == ("avis.exemple.gouv.fr", "intranet")
    assert (settings.trusted_proxies, settings.demonstration, settings.minimum_free_bytes) == (1, True, 1000)
    assert settings.retention == RetentionTerms(practice=3)


BAD = {
    "no secret": ({"SECRET_KEY": ""}, "SECRET_KEY"),
    "a short secret": ({"SECRET_KEY": "a1b2c3"}, "SECRET_KEY"),
    "one letter": ({"SECRET_KEY": "a" * 64}, "SECRET_KEY"),
    "a placeholder": ({"SECRET_KEY": "change-me-change-me-change-me-1234567890"}, "SECRET_KEY"),
    "no master key": ({"DEVICE_MASTER_KEY": " "}, "DEVICE_MASTER_KEY"),
    "one key for two uses": ({"DEVICE_MASTER_KEY": GOOD["SECRET_KEY"]}, "DEVICE_MASTER_KEY"),
    "an address without TLS": ({"PUBLIC_URL": "http://avis.exemple.gouv.fr"}, "PUBLIC_URL"),
    "no address": ({"PUBLIC_URL": "avis"}, "PUBLIC_URL"),
    "an unreadable address": ({"PUBLIC_URL": "https://[x"}, "PUBLIC_URL"),
    "an unknown database": ({"DATABASE_URL": "foo://x"}, "DATABASE_URL"),
    "an address with a path": ({"PUBLIC_URL": "https://x.fr/avis"}, "PUBLIC_URL"),
    "half a proxy": ({"TRUSTED_PROXIES": "1.5"}, "TRUSTED_PROXIES"),
    "perhaps": ({"DEMONSTRATION": "peut-être"}, "DEMONSTRATION"),
    "a negative term": ({"RETENTION_PRACTICE_DAYS": "-1"}, "RETENTION_PRACTICE_DAYS"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_setting_is_named_on_one_line(case: str) -> None:
    change, variable = BAD[case]
    with pytest.raises(SettingsError, match=variable) as caught:
        read_settings({**GOOD, **change})
    assert "\n" not in str(caught.value)
    for secret in GOOD.values():
        assert secret not in str(caught.value)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings_for_tests().demonstration = True  # type: ignore[misc]


def test_secrets_are_not_shown() -> None:
    settings: Settings = settings_for_tests()
    assert settings.secret_key not in repr(settings)
    assert settings.device_master_key not in repr(settings)
    assert "motdepasse" not in repr(settings_for_tests(database_url="postgresql://u:motdepasse@h/d"))
