"""An answer that does not open: marked and told, the others wait for a decision, and nothing is lost."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app.database import db, write_transaction
from survey_app.invitation_models import SealedAnswer, WaveFrame, random_number
from survey_app.invitations import mixing, sealed_answers, wave_keys, worker
from survey_app.invitations.pool import UnreadableAnswers
from survey_app.models import AuditEntry
from survey_app.responses import doctor_links
from survey_app.responses.link_balance import balance
from survey_app.responses.purge import purge
from survey_app.responses.record_keys import KeyFileError, PublicKey
from survey_app.settings import RetentionTerms
from tests.page_checks import assert_good_pages
from tests.survey_app.invitations import invited
from tests.survey_app.invitations.invited import ASKED, NOW, WAVE, a_wave, answer, close
from tests.survey_app.staff_site import StaffSite, post

PAGE = f"/gestion/editions/{WAVE}/illisibles"
OF_THE_WAVE = f"/gestion/editions/{WAVE}"


def damaged_pool(answering: int = 14, damaged: int = 1, people: int = 30) -> dict[str, bytes]:
    """A closed wave of which some answers were changed on disk; what they were before."""
    for number in a_wave(people)[:answering]:
        answer(number)
    before: dict[str, bytes] = {}
    with write_transaction() as transaction:
        for one in transaction.scalars(sa.select(SealedAnswer).order_by(SealedAnswer.id).limit(damaged)):
            before[one.id] = one.sealed
            one.sealed = one.sealed[:-1] + bytes([one.sealed[-1] ^ 1])
    close()
    return before


def restore(before: dict[str, bytes]) -> None:
    """As they are in a copy of the database."""
    with write_transaction() as transaction:
        for number, sealed in before.items():
            transaction.get_one(SealedAnswer, number).sealed = sealed


def marked() -> set[str]:
    with db.engine.connect() as connection:
        return set(connection.scalars(sa.select(SealedAnswer.id).where(SealedAnswer.unreadable)))


def log() -> list[tuple[str, dict[str, object]]]:
    wanted = ("wave-mixed", "answers-unreadable", "answers-withheld", "wave-key-destroyed")
    with db.engine.connect() as connection:
        rows = connection.execute(sa.select(AuditEntry.action, AuditEntry.detail).order_by(AuditEntry.id))
        return [(row[0], {**row[1], "key": "…"}) for row in rows if row[0] in wanted]


def findings(app: Flask) -> dict[str, str]:
    folder = app.extensions["survey_settings"].wave_keys_folder
    return {one.code: one.severity for one in doctor_links.links(folder, NOW)}


def key_path() -> Path:
    key_id = str(db.session.get_one(WaveFrame, WAVE).key_id)
    db.session.rollback()
    return wave_keys.held().path(WAVE, key_id)


def test_it_is_marked_and_logged_once_and_everything_else_stays_as_it_was(database: Flask) -> None:
    before = damaged_pool()
    for _ in range(2):
        with pytest.raises(UnreadableAnswers, match="1 réponse scellée ne s’ouvre pas, sur 14"):
            mixing.finish(WAVE, actor="test")
    assert worker.finish_all() == 0
    assert marked() == set(before)
    assert (invited.responses(), invited.count(SealedAnswer), invited.answered()) == ([], 14, 14)
    assert (key_path().exists(), mixing.unfinished()) == (True, [WAVE])
    assert log() == [("answers-unreadable", {"answers": 1, "key": "…"})]
    assert findings(database)["unreadable"] == "error"


def test_with_the_intact_answer_from_a_copy_all_are_mixed(database: Flask) -> None:
    before = damaged_pool()
    with pytest.raises(UnreadableAnswers):
        mixing.finish(WAVE, actor="test")
    restore(before)
    assert mixing.finish(WAVE, actor="test") == 14
    assert (len(invited.responses()), invited.count(SealedAnswer)) == (14, 0)
    assert "unreadable" not in findings(database)


def test_left_out_it_is_kept_and_the_others_are_mixed(database: Flask) -> None:
    before = damaged_pool(damaged=2)
    assert mixing.finish(WAVE, actor="test", leave_out_unreadable=True) == 12
    assert (len(invited.responses()), marked()) == (12, set(before))
    assert (key_path().exists(), mixing.unfinished()) == (False, [])
    assert [action for action, _detail in log()] == ["answers-unreadable", "wave-mixed", "wave-key-destroyed"]
    assert log()[1][1] == {"answers": 12, "left_out": 2, "key": "…"}
    with db.engine.connect() as connection:
        found = balance(connection, WAVE)
    assert (found, found.is_even) == ((14, 2, 12, 0), True)
    assert (findings(database)["links"], findings(database)["unreadable"]) == ("ok", "ok")


def test_eleven_of_which_one_does_not_open_are_ten_and_none_is_kept(database: Flask) -> None:
    damaged_pool(answering=11)
    assert mixing.finish(WAVE, actor="test", leave_out_unreadable=True) == 0
    assert (invited.responses(), len(marked()), mixing.were_withheld(WAVE)) == ([], 1, True)
    with db.engine.connect() as connection:
        assert balance(connection, WAVE) == (11, 1, 0, 10)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[1]",
        json.dumps({"digest": "a", "language": "fr", "week": "2026-03-09", "stratum": "niort"}).encode(),
        json.dumps(
            {"digest": "a", "language": "fr", "week": "lundi", "stratum": "niort", "answers": {}}
        ).encode(),
        json.dumps(
            {"digest": "f" * 64, "language": "fr", "week": "2026-03-09", "stratum": "niort", "answers": {}}
        ).encode(),
    ],
    ids=["empty", "no object", "no answers", "no day", "unknown version"],
)
def test_what_opens_and_is_no_answer_of_ours_holds_up_nobody_for_ever(database: Flask, said: bytes) -> None:
    """Whoever can write to the database can seal anything to the public key."""
    for number in a_wave()[:12]:
        answer(number)
    frame = db.session.get_one(WaveFrame, WAVE)
    public = PublicKey(str(frame.key_id), bytes(frame.public_key or b""))
    db.session.rollback()
    plain = (len(said).to_bytes(4, "big") + said).ljust(sealed_answers.size_of(ASKED), b"\0")
    sealed = public.seal_bytes(plain, sealed_answers._info(WAVE))
    with write_transaction() as transaction:
        transaction.add(SealedAnswer(id=random_number(), wave_id=WAVE, sealed=sealed))
    close()
    with pytest.raises(UnreadableAnswers):
        mixing.finish(WAVE, actor="test")
    assert mixing.finish(WAVE, actor="test", leave_out_unreadable=True) == 12


def test_another_key_under_the_name_of_ours_marks_nothing(database: Flask) -> None:
    """Or one wrong file would leave out every answer, and the right one would be overwritten after them."""
    damaged_pool(damaged=0)
    path = key_path()
    right = path.read_bytes()
    made = wave_keys.held().make("other")
    path.write_bytes(wave_keys.held().path("other", made.key_id).read_bytes())
    with pytest.raises(KeyFileError, match="contient une autre clé"):
        mixing.finish(WAVE, actor="test", leave_out_unreadable=True)
    assert (marked(), invited.count(SealedAnswer)) == (set(), 14)
    path.write_bytes(right)
    assert mixing.finish(WAVE, actor="test") == 14


def test_what_was_left_out_goes_at_the_term_of_the_answers(database: Flask) -> None:
    damaged_pool()
    mixing.finish(WAVE, actor="test", leave_out_unreadable=True)
    terms = RetentionTerms(responses_after_closing=0)
    purge(terms, by="cron", now=NOW.replace(year=2027))
    assert invited.count(SealedAnswer) == 0
    assert "links" not in findings(database)  # nothing is counted again past the term


def test_the_referent_is_told_and_decides_on_a_page(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    with site.database():
        damaged_pool()
        invited.set_wave(state="open")
    client = site.client()
    told = "1 réponse scellée ne s’ouvre pas"
    assert told not in client.get(OF_THE_WAVE).text  # control
    closed = post(client, f"{OF_THE_WAVE}/clore")
    assert closed.status_code == 303
    assert told in client.get(OF_THE_WAVE).text
    assert told in client.get("/gestion/").text
    page = client.get(PAGE)
    assert told in page.text
    assert_good_pages({"unreadable": (page.text, "fr")})
    assert told not in site.client("director").get(OF_THE_WAVE).text
    assert post(client, PAGE, {}, page=PAGE).status_code == 303
    after = client.get(OF_THE_WAVE).text
    assert "Les autres réponses sont mélangées." in after
    assert told not in after
    with site.database():
        assert (len(invited.responses()), len(marked())) == (13, 1)
    assert "s’ouvrent, ou elles sont mélangées" in client.get(PAGE, follow_redirects=True).text
    assert post(client, PAGE, {}, page=OF_THE_WAVE).status_code == 303


def test_what_is_random_does_not_open_either(database: Flask) -> None:
    damaged_pool(damaged=0)
    with write_transaction() as transaction:
        one = transaction.scalars(sa.select(SealedAnswer).limit(1)).one()
        one.sealed = secrets.token_bytes(80)
    with pytest.raises(UnreadableAnswers):
        mixing.finish(WAVE, actor="test")
