"""One colour for each tablet, and each reason in a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from survey_app.device_health import AMBER, GREEN, OFF, RED, Health, Situation, health_of
from survey_app.device_models import Device
from survey_app.responses.chains import Chain, Fork, Gap

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
BUNDLE = "d" * 64
LOST = Chain(10, (Gap(5, 5), Gap(7, 8)))
LATE = Chain(10, (Gap(5, 5, held=True), Gap(7, 8, held=True)), waiting=3)


def seen(chain: Chain | None = None, **facts: Any) -> Health:
    """A tablet in service that said hello a minute ago, except for these facts."""
    well = {"state": "enrolled", "name": "Accueil 2", "site": "accueil_general", "app_digest": BUNDLE}
    device = Device(**{**well, "last_contact_at": NOW - timedelta(minutes=1), "waiting": 0, **facts})
    return health_of(Situation(device, chain or Chain(12, waiting=device.waiting or 0), NOW, BUNDLE))


def ago(hours: int) -> datetime:
    return NOW - timedelta(hours=hours)


def test_a_tablet_with_nothing_to_say_is_green() -> None:
    healthy = seen(
        battery_percent=80, persisted=True, clock_offset_ms=2000, readiness="green", pin_failures=1
    )
    assert (healthy.colour, healthy.reasons) == (GREEN, ())


@pytest.mark.parametrize(
    ("facts", "colour", "words"),
    [
        ({"last_contact_at": None}, AMBER, "jamais donné de nouvelles"),
        ({"last_contact_at": ago(25)}, AMBER, "Sans nouvelles depuis 1 jour\u00a0:"),
        ({"last_contact_at": ago(25), "waiting": 1}, RED, "Sans nouvelles depuis 1 jour"),
        ({"last_contact_at": ago(73)}, RED, "Sans nouvelles depuis 3 jours"),
        ({"waiting": 2}, AMBER, "2 envois attendent sur la tablette."),
        ({"waiting": 2, "quarantined": 2}, RED, "2 envois sont refusés par le serveur"),
        ({"app_digest": "e" * 64}, AMBER, "version ancienne"),
        ({"clock_offset_ms": 720_000}, AMBER, "Son horloge retarde de 12 minutes."),
        ({"clock_offset_ms": -3 * 3_600_000}, AMBER, "Son horloge avance de 3 heures."),
        ({"clock_offset_ms": -40 * 86_400_000}, AMBER, "avance de 40 jours."),
        (
            {"clock_offset_ms": 720_000, "readiness": "amber", "readiness_reason": "clock"},
            AMBER,
            "vérification\u00a0: son horloge retarde de 12 minutes.",
        ),
        ({"persisted": False}, AMBER, "peut effacer ce qu’elle garde"),
        ({"battery_percent": 12}, AMBER, "Batterie à 12\u202f%"),
        ({"pin_failures": 10}, AMBER, "mal tapé 10 fois"),
        ({"readiness": "red", "readiness_reason": "insecure"}, RED, "https"),
        ({"readiness": "amber", "readiness_reason": "other"}, AMBER, "vérification\u00a0: other."),
        ({"state": "revoked", "waiting": 3}, RED, "Révoquée, et 3 envois attendent encore dessus"),
    ],
)
def test_each_reason_has_its_colour_and_says_so_in_words(
    facts: dict[str, Any], colour: str, words: str
) -> None:
    found = seen(**facts)
    assert found.colour == colour
    assert any(words in reason for reason in found.reasons), found.reasons


@pytest.mark.parametrize(
    "facts",
    [
        {"last_contact_at": ago(23)},
        {"battery_percent": 12, "charging": True},
        {"clock_offset_ms": 299_000},
        {"persisted": None},
        {"app_digest": None},
    ],
)
def test_what_is_usual_or_unknown_is_no_reason(facts: dict[str, Any]) -> None:
    assert seen(**facts).reasons == ()


def test_numbers_that_the_tablet_still_holds_are_late_and_others_are_gone() -> None:
    late = seen(LATE, held=[[5, 5], [7, 8]])
    assert (late.colour, late.reasons) == (AMBER, ("3 envois attendent sur la tablette.",))
    gone = seen(replace(LOST, gaps=(Gap(5, 5), *LATE.gaps[1:]), waiting=2), held=[[7, 8]])
    assert gone.colour == RED
    assert gone.reasons[0] == "1 questionnaire n’est jamais arrivé (numéros manquants\u00a0: 5)."
    assert "Batterie" in seen(LOST, battery_percent=5).reasons[-1]


def test_records_of_an_earlier_enrolment_or_refused_ones_hide_no_number_that_is_lost() -> None:
    for others in ({"former": 5}, {"waiting": 5, "quarantined": 5}):
        found = seen(LOST, held=[], **others)
        assert found.colour == RED
        assert any("3 questionnaires ne sont jamais arrivés" in reason for reason in found.reasons)
    assert seen(former=5).reasons == ("5 envois d’une ancienne inscription attendent dessus.",)


def test_an_older_application_that_tells_no_numbers_is_believed_about_how_many_it_holds() -> None:
    assert seen(replace(LOST, waiting=3)).colour == AMBER
    assert seen(replace(LOST, waiting=2)).colour == RED


def test_two_tablets_under_one_identity_are_red() -> None:
    found = seen(Chain(12, (), (Fork(7, ("a", "b")),)))
    assert found.colour == RED
    assert "Deux tablettes" in found.reasons[0]


def test_a_revoked_tablet_that_is_empty_is_out_of_service_and_asks_for_nothing() -> None:
    found = seen(state="revoked", last_contact_at=ago(500), battery_percent=1, readiness="red")
    assert (found.colour, found.reasons) == (OFF, ())


def test_the_worst_tablet_comes_first() -> None:
    tablets = [
        seen(state="revoked"),
        seen(name="B"),
        seen(waiting=1),
        seen(waiting=1, persisted=False),
        seen(quarantined=1),
        seen(name="A"),
    ]
    ordered = sorted(tablets, key=lambda one: one.rank)
    assert [(one.colour, len(one.reasons)) for one in ordered] == [
        (RED, 1),
        (AMBER, 2),
        (AMBER, 1),
        (GREEN, 0),
        (GREEN, 0),
        (OFF, 0),
    ]
    assert [one.device.name for one in ordered[3:5]] == ["A", "B"]


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("persistence", {"persisted": False}),
        ("worker", {"app_digest": "e" * 64}),
        ("assets", {"app_digest": "e" * 64}),
        ("clock", {"clock_offset_ms": 720_000}),
    ],
)
def test_what_the_tablet_s_own_check_found_is_said_once(code: str, facts: dict[str, Any]) -> None:
    assert len(seen(**facts).reasons) == 1
    assert len(seen(**facts, readiness="amber", readiness_reason=code).reasons) == 1


def test_an_enrolment_that_was_replaced_is_out_of_service_and_not_called_silent() -> None:
    found = seen(replaced_by="another", last_contact_at=None)
    assert (found.colour, found.reasons) == (OFF, ())
    assert seen(LOST, replaced_by="another", last_contact_at=None).colour == RED
