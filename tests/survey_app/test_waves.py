"""The life of a wave and of its questionnaire: what each step asks, what it writes, what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from survey_app import audit, questionnaires, waves
from survey_app.clock import today_in_paris
from survey_app.database import db, write_transaction
from survey_app.models import InboxRecord, QuestionnaireVersion, Survey, WaveQuestionnaire
from survey_app.questionnaires import PublicationError
from survey_app.waves import WaveError
from tests.survey_app.staff_site import WAVE, StaffSite, a_plan, a_source, add_responses


@pytest.fixture
def digest(tmp_path: Path) -> Iterator[str]:
    with StaffSite(tmp_path).database():
        yield questionnaires.publish_source(a_source(), {}, actor="test").digest


def states() -> str:
    wave = waves.find_wave(WAVE)
    assert wave is not None
    db.session.refresh(wave)
    return wave.state


def test_a_wave_lives_from_draft_to_published_and_every_step_is_in_the_log(digest: str) -> None:
    waves.create_wave(a_plan(digest), actor="claire")
    seen = [states()]
    for step in (waves.open_wave, waves.close_wave, waves.seal_wave, waves.publish_wave):
        step(WAVE, actor="claire")
        seen.append(states())
    assert seen == list(waves.STATES)
    actions = [entry.action for entry in audit.latest(5)][::-1]
    assert actions == ["wave-created", "wave-opened", "wave-closed", "wave-sealed", "wave-published"]
    assert {entry.actor for entry in audit.latest(5)} == {"claire"}


STEPS = {
    "open": waves.open_wave,
    "close": waves.close_wave,
    "reopen": waves.reopen_wave,
    "seal": waves.seal_wave,
    "publish": waves.publish_wave,
    "delete": waves.delete_wave,
}
MAY = {
    "draft": ["delete", "open"],
    "open": ["close"],
    "closed": ["reopen", "seal"],
    "sealed": ["publish"],
    "published": [],
}


def test_no_step_can_be_skipped_or_repeated(digest: str) -> None:
    waves.create_wave(a_plan(digest), actor="test")
    for state, allowed in MAY.items():
        assert states() == state
        for name in {*STEPS} - {*allowed}:
            with pytest.raises(WaveError):
                STEPS[name](WAVE, actor="test")
        for name in allowed[-1:]:
            STEPS[name](WAVE, actor="test")


def test_a_closed_wave_opens_again_until_it_is_sealed_and_the_log_keeps_when_it_was_closed(
    digest: str,
) -> None:
    waves.create_wave(a_plan(digest), actor="test")
    for name in ("open", "close"):
        STEPS[name](WAVE, actor="test")
    wave = waves.find_wave(WAVE)
    assert wave is not None
    closed_at = wave.closed_at
    assert closed_at is not None
    waves.reopen_wave(WAVE, actor="claire")
    assert states() == "open"
    db.session.refresh(wave)
    assert wave.closed_at is None
    entry = audit.latest(1)[0]
    assert (entry.action, entry.actor, entry.subject) == ("wave-reopened", "claire", WAVE)
    assert datetime.fromisoformat(entry.detail["closed_at"]) == closed_at


def test_a_wave_does_not_open_again_beside_another_one(digest: str) -> None:
    waves.create_wave(a_plan(digest), actor="test")
    waves.create_wave(a_plan(digest, id="essai-2027", title="Essai 2027"), actor="test")
    for name in ("open", "close"):
        STEPS[name](WAVE, actor="test")
    waves.open_wave("essai-2027", actor="test")
    with pytest.raises(WaveError, match="Essai 2027"):
        waves.reopen_wave(WAVE, actor="test")


PAST = {"opens_on": date(2025, 3, 1), "closes_on": date(2025, 3, 31)}
LAST_DAY = PAST["closes_on"]


def test_a_wave_whose_last_day_is_past_does_not_open_and_the_remedy_is_told(digest: str) -> None:
    waves.create_wave(a_plan(digest, **PAST), actor="test")
    with pytest.raises(WaveError, match="changez d’abord ses dates"):
        waves.open_wave(WAVE, actor="test")
    waves.change_wave(WAVE, a_plan(digest), actor="test")
    waves.open_wave(WAVE, actor="test")


def test_a_wave_opens_and_opens_again_on_its_last_day_and_not_after(digest: str) -> None:
    waves.create_wave(a_plan(digest, **PAST), actor="test")
    waves.open_wave(WAVE, actor="test", today=LAST_DAY)
    waves.close_wave(WAVE, actor="test")
    with pytest.raises(WaveError, match="changez d’abord ses dates"):
        waves.reopen_wave(WAVE, actor="test", today=LAST_DAY + timedelta(days=1))
    waves.reopen_wave(WAVE, actor="test", today=LAST_DAY)


def test_the_dates_of_a_closed_wave_change_while_nothing_came_and_its_rules_do_not(digest: str) -> None:
    waves.create_wave(a_plan(digest, **PAST), actor="test")
    waves.open_wave(WAVE, actor="test", today=LAST_DAY)
    waves.close_wave(WAVE, actor="test")
    with pytest.raises(WaveError, match="ne change plus"):
        waves.change_wave(WAVE, a_plan(digest, minimum_base=10), actor="test")
    waves.change_wave(WAVE, a_plan(digest), actor="test")
    waves.reopen_wave(WAVE, actor="test")
    with pytest.raises(WaveError, match="ne change plus"):
        waves.change_wave(WAVE, a_plan(digest, **PAST), actor="test")


def test_the_dates_of_a_wave_that_somebody_answered_never_change(digest: str) -> None:
    waves.create_wave(a_plan(digest, **PAST), actor="test")
    waves.open_wave(WAVE, actor="test", today=LAST_DAY)
    waves.close_wave(WAVE, actor="test")
    add_responses(digest, 1, 0, site="accueil_general")
    with pytest.raises(WaveError, match="ne change plus"):
        waves.change_wave(WAVE, a_plan(digest), actor="test")
    with pytest.raises(WaveError, match="Préparez une nouvelle édition"):
        waves.reopen_wave(WAVE, actor="test")


def test_the_dates_of_an_open_wave_change_until_it_begins(digest: str) -> None:
    later = today_in_paris() + timedelta(days=5)
    waves.create_wave(a_plan(digest, opens_on=later), actor="test")
    waves.open_wave(WAVE, actor="test")
    waves.change_wave(WAVE, a_plan(digest, opens_on=later - timedelta(days=5)), actor="test")
    with pytest.raises(WaveError, match="ne change plus"):
        waves.change_wave(WAVE, a_plan(digest, opens_on=later), actor="test")


def test_a_wave_in_preparation_is_deleted_and_what_it_declared_stays_in_the_log(digest: str) -> None:
    waves.create_wave(a_plan(digest), actor="test")
    waves.delete_wave(WAVE, actor="claire")
    assert waves.find_wave(WAVE) is None
    assert db.session.scalars(select(WaveQuestionnaire)).all() == []
    entry = audit.latest(1)[0]
    assert (entry.action, entry.actor, entry.subject) == ("wave-deleted", "claire", WAVE)
    assert entry.detail["title"] == "Essai 2026"
    waves.create_wave(a_plan(digest), actor="test")


def test_a_wave_that_a_response_names_is_never_deleted(digest: str) -> None:
    waves.create_wave(a_plan(digest), actor="test")
    add_responses(digest, 1, 0, site="accueil_general")
    with pytest.raises(WaveError, match="Des réponses nomment déjà cette édition"):
        waves.delete_wave(WAVE, actor="test")
    assert states() == "draft"


def test_a_text_sent_again_takes_the_place_of_its_draft_under_a_new_number(digest: str) -> None:
    first = questionnaires.save_draft(a_source(Votre="Notre"), {}, actor="a")
    other = questionnaires.save_draft("title: [", {}, actor="a")
    again = questionnaires.save_draft(a_source(Votre="Leur"), {}, actor="b")
    assert [draft.id for draft in questionnaires.drafts()] == [again, other]
    assert again != first
    assert audit.latest(1)[0].detail == {"replaced": [first]}
    questionnaires.save_draft("title: (", {}, actor="a")
    assert len(questionnaires.drafts()) == 3


def test_a_wave_keeps_what_it_declared(digest: str) -> None:
    plan = a_plan(
        digest,
        expected_visits={"point_numerique": 900},
        population=5000,
        threshold=Fraction(4, 5),
        method="jeffreys",
    )
    wave = waves.create_wave(plan, actor="test")
    assert waves.plan_of(wave) == plan


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"id": "Pas Bon"}, "code"),
    ({"title": " "}, "titre"),
    ({"opens_on": date(2026, 5, 2), "closes_on": date(2026, 5, 1)}, "précéder"),
    ({"sites": ("elsewhere",)}, "sites"),
    ({"sites": ()}, "sites"),
    ({"modes": ("fax",)}, "modes"),
    ({"languages": ("en",)}, "français"),
    ({"headline_modes": ()}, "chiffre principal"),
    ({"modes": ("tablet",), "headline_modes": ("website",)}, "chiffre principal"),
    ({"sites": ("point_numerique",)}, "chiffre principal"),
    ({"threshold": Fraction(5, 4)}, "seuil"),
    ({"threshold": Fraction(0)}, "seuil"),
    ({"method": "wald"}, "méthode"),
    ({"minimum_base": 0}, "base minimale"),
    ({"population": 0}, "population"),
    ({"expected_visits": {"point_numerique": -1}}, "visites"),
    ({"questionnaire_digest": "0" * 64}, "Publiez d’abord"),
]


@pytest.mark.parametrize("changes, word", IMPOSSIBLE)
def test_an_impossible_plan_is_refused_with_its_reason(
    digest: str, changes: dict[str, Any], word: str
) -> None:
    with pytest.raises(WaveError, match=f"(?i){word}"):
        waves.create_wave(a_plan(digest, **changes), actor="test")
    assert waves.find_wave(WAVE) is None


def test_all_faults_of_a_plan_are_told_at_once(digest: str) -> None:
    with pytest.raises(WaveError) as told:
        waves.create_wave(a_plan(digest, title="", minimum_base=0, method="wald"), actor="test")
    assert all(word in str(told.value) for word in ("titre", "base minimale", "méthode"))


def test_two_waves_cannot_share_a_code(digest: str) -> None:
    waves.create_wave(a_plan(digest), actor="test")
    with pytest.raises(WaveError, match="déjà pris"):
        waves.create_wave(a_plan(digest), actor="test")


def test_one_wave_of_a_survey_is_open_at_a_time(digest: str) -> None:
    waves.create_wave(a_plan(digest), actor="test")
    waves.create_wave(a_plan(digest, id="essai-2027", title="Essai 2027"), actor="test")
    waves.open_wave(WAVE, actor="test")
    with pytest.raises(WaveError, match="Essai 2026"):
        waves.open_wave("essai-2027", actor="test")


def test_rules_change_in_preparation_and_never_after(digest: str) -> None:
    waves.create_wave(a_plan(digest), actor="test")
    waves.change_wave(WAVE, a_plan(digest, minimum_base=50), actor="test")
    wave = waves.find_wave(WAVE)
    assert wave is not None
    assert wave.minimum_base == 50
    waves.open_wave(WAVE, actor="test")
    with pytest.raises(WaveError, match="ne change plus"):
        waves.change_wave(WAVE, a_plan(digest, minimum_base=10), actor="test")


def test_a_wave_is_not_sealed_while_records_wait_to_be_judged(digest: str) -> None:
    waves.create_wave(a_plan(digest), actor="test")
    waves.open_wave(WAVE, actor="test")
    waves.close_wave(WAVE, actor="test")
    with write_transaction() as transaction:
        transaction.add(
            InboxRecord(
                id="00000000-0000-4000-8000-000000000000",
                revision=1,
                content_hash="0" * 64,
                source="tablet",
                wave_id=WAVE,
                received_at=datetime.now(tz=UTC),
            )
        )
    with pytest.raises(WaveError, match="1 envoi attend"):
        waves.seal_wave(WAVE, actor="test")


LABEL = "        label: La courtoisie\n"
STRICTER = {LABEL: LABEL + "        rate: {favourable: [very_satisfied]}\n"}
"""The same question under another rate rule: its series breaks."""


def publish(source: str) -> QuestionnaireVersion:
    return questionnaires.publish_source(source, {}, actor="test")


def test_an_open_wave_moves_to_a_new_version_only_when_told_and_says_what_breaks(digest: str) -> None:
    waves.create_wave(a_plan(digest), actor="test")
    waves.open_wave(WAVE, actor="test")
    newer = publish(a_source(**STRICTER))
    wave = waves.find_wave(WAVE)
    assert wave is not None
    assert wave.questionnaire_digest == digest
    changes = waves.move_to_questionnaire(WAVE, newer.digest, actor="test")
    assert any("courtesy" in change.breaks_series for change in changes)
    db.session.expire_all()
    assert wave.questionnaire_digest == newer.digest
    history = set(db.session.scalars(select(WaveQuestionnaire.digest)))
    assert history == {digest, newer.digest}
    assert "courtesy" in audit.latest(1)[0].detail["broken_series"]


def test_a_wave_cannot_move_to_another_questionnaire(digest: str) -> None:
    waves.create_wave(a_plan(digest), actor="test")
    waves.open_wave(WAVE, actor="test")
    other = publish(a_source(**{"questionnaire: essai": "questionnaire: autre"}))
    with pytest.raises(WaveError, match="pas celui"):
        waves.move_to_questionnaire(WAVE, other.digest, actor="test")


def test_publishing_freezes_the_text_under_its_digest_and_makes_the_survey(digest: str) -> None:
    version = db.session.get_one(QuestionnaireVersion, digest)
    assert questionnaires.questionnaire_of(version).items_by_name["courtesy"].label == "La courtoisie"
    assert version.source_yaml == a_source()
    assert db.session.scalars(select(Survey.slug)).all() == ["essai"]


def test_publishing_the_same_text_twice_makes_one_version(digest: str) -> None:
    assert publish(a_source()).digest == digest
    assert len(questionnaires.versions()) == 1


def test_a_draft_with_faults_is_kept_shown_and_not_published(digest: str) -> None:
    number = questionnaires.save_draft("questionnaire: essai\ntitle: [", {}, actor="test")
    draft = questionnaires.find_draft(number)
    assert draft is not None
    assert questionnaires.check_draft(draft).faults
    with pytest.raises(PublicationError) as told:
        questionnaires.publish_draft(number, actor="test")
    assert told.value.faults
    assert len(questionnaires.versions()) == 1


def test_a_plan_of_publication_says_the_changes_in_sentences(digest: str) -> None:
    number = questionnaires.save_draft(a_source(**STRICTER), {}, actor="test")
    draft = questionnaires.find_draft(number)
    assert draft is not None
    checked = questionnaires.check_draft(draft)
    assert checked.questionnaire is not None
    plan = questionnaires.plan_publication(checked.questionnaire)
    assert plan.is_new
    assert "courtesy" in plan.broken_series
    version = questionnaires.publish_draft(number, actor="test")
    assert version.change_sentences == [change.sentence for change in plan.changes]
    assert questionnaires.find_draft(number) is None
    current = questionnaires.current_version("essai")
    assert current is not None
    assert current.digest == version.digest
