"""Which numbers of a tablet never arrived, and when two tablets go on under one identity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app.database import db, write_transaction
from survey_app.device_models import Device
from survey_app.models import AuditEntry
from survey_app.responses import inbox
from survey_app.responses.chains import Chain, chains, missing_numbers
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import content_hash
from survey_app.responses.explanations import ExplanationError, explain_gap
from survey_app.sql_functions import sha256_hex
from tests.survey_app.staff_site import WAVE
from tests.survey_app.tablet_chains import SITE, a_device, chained, link_of, receive

LINKS = json.loads((Path(__file__).parents[1] / "conformance/links.json").read_text(encoding="utf-8"))


def chain_of(device: str, wave_id: str | None = None) -> Chain:
    db.session.rollback()
    return chains(db.session(), [db.session.get_one(Device, device)], wave_id=wave_id)[device]


def gaps(device: str) -> list[tuple[int, int]]:
    return [(gap.first, gap.last) for gap in chain_of(device).gaps]


def test_nothing_is_missing_when_every_number_arrived(database: Flask) -> None:
    device = a_device(high_seq=212)
    receive(device, chained(device, range(1, 213)))
    chain = chain_of(device)
    assert (chain.taken, chain.received, chain.missing, chain.forks) == (212, 212, 0, ())


def test_missing_numbers_are_found_at_the_start_in_the_middle_and_at_the_end(database: Flask) -> None:
    device, other = a_device(high_seq=12), a_device()
    texts = chained(device, range(1, 13))
    receive(device, [texts[place - 1] for place in (3, 4, 6, 9)])
    receive(other, chained(other, range(1, 20)))
    assert gaps(device) == [(1, 2), (5, 5), (7, 8), (10, 12)]
    chain = chain_of(device)
    assert (chain.taken, chain.received, chain.missing) == (12, 4, 8)
    assert chain.forks == ()
    assert missing_numbers(db.session(), db.session.get_one(Device, device), 8) == [1, 2, 5, 7, 8]


def test_several_revisions_of_a_record_are_one_number(database: Flask) -> None:
    device = a_device(high_seq=1)
    record = "00000000-0000-4000-8000-000000000001"
    for revision in (1, 2, 3):
        receive(device, chained(device, [1], id=record, revision=revision))
    assert (chain_of(device).received, chain_of(device).missing, chain_of(device).forks) == (1, 0, ())


def test_a_tablet_that_names_an_absurd_number_costs_nothing(database: Flask) -> None:
    device = a_device(high_seq=2**31 - 1)
    assert gaps(device) == [(1, 2**31 - 1)]
    known = db.session.get_one(Device, device)
    assert missing_numbers(db.session(), known, 2**31 - 1) == list(range(1, 201))


def test_one_number_under_two_records_is_a_fork_and_both_are_kept(database: Flask) -> None:
    device = a_device(high_seq=3)
    start = chained(device, [1, 2])
    head = link_of(start[-1])
    twins = [*chained(device, [3], prev=head), *chained(device, [3], prev=head)]
    receive(device, [*start, *twins])
    (fork,) = chain_of(device).forks
    assert (fork.seq, fork.twice) == (3, True)
    assert fork.records == tuple(sorted(json.loads(one)["id"] for one in twins))
    assert chain_of(device).received == 4, "questionnaires, not numbers"


def test_a_record_that_follows_another_one_than_ours_is_a_fork(database: Flask) -> None:
    device = a_device(high_seq=3)
    receive(device, [*chained(device, [1, 2]), *chained(device, [3], prev="e" * 64)])
    (fork,) = chain_of(device).forks
    assert (fork.seq, fork.twice) == (3, False)


@pytest.mark.parametrize("case", LINKS, ids=lambda case: case["name"])
def test_the_link_is_the_same_here_on_the_tablet_and_in_the_database(
    database: Flask, case: dict[str, Any]
) -> None:
    (text,) = chained(a_device(), [case["seq"]], prev=case["prev"], id=case["id"])
    assert link_of(text) == case["link"]
    text = f"link {case['seq']} {case['id']} {case['prev'] or '-'}"
    assert db.session.scalar(sa.select(sha256_hex(text))) == case["link"]


def test_a_record_follows_one_whose_draft_was_written_anew_meanwhile(database: Flask) -> None:
    """Two pages side by side: the revision that was there when the second began never reaches the server."""
    device = a_device(high_seq=3)
    first = "00000000-0000-4000-8000-000000000001"
    superseded, finished = (chained(device, [1], id=first, revision=number)[0] for number in (1, 3))
    second = chained(device, [2], prev=link_of(superseded))
    receive(device, [finished, *second, *chained(device, [3], prev=link_of(second[0]))])
    assert chain_of(device).forks == ()


def test_a_number_or_a_record_of_another_tablet_is_not_the_link_that_was_named(database: Flask) -> None:
    device = a_device(high_seq=4)
    (start, following) = chained(device, [1, 2])
    receive(device, [start, following, *chained(device, [3], prev=link_of(start))])
    assert [fork.seq for fork in chain_of(device).forks] == [3]


def test_a_record_may_follow_any_revision_or_variant_of_the_one_before(database: Flask) -> None:
    device = a_device(high_seq=3)
    record = "00000000-0000-4000-8000-000000000001"
    draft, finished = (chained(device, [1], id=record, revision=number)[0] for number in (1, 2))
    variant = chained(device, [1], id=record, revision=2, questionnaire_digest="c" * 64)[0]
    receive(device, [draft, finished])
    inbox.accept(variant.encode(), source="tablet", credential=Credential("tablet", device, SITE))
    for revision, text in enumerate((draft, finished, variant)):
        head, number = content_hash(text.encode()), record[:-1] + "2"
        receive(device, chained(device, [2], prev=head, id=number, revision=revision))
    assert chain_of(device).forks == ()


def test_a_record_whose_predecessor_is_missing_is_a_gap_and_no_fork(database: Flask) -> None:
    device = a_device(high_seq=3)
    texts = chained(device, range(1, 4))
    receive(device, [texts[0], texts[2]])
    assert (gaps(device), chain_of(device).forks) == ([(2, 2)], ())


def answer_for(device: str, first: int, last: int, reason: str = "Tablette volée") -> None:
    with write_transaction() as transaction:
        explain_gap(transaction, transaction.get_one(Device, device), first, last, reason, by="referent@test")


def test_an_explanation_covers_its_numbers_and_is_in_the_log(database: Flask) -> None:
    device = a_device(high_seq=10)
    texts = chained(device, range(1, 11))
    receive(device, [texts[0], texts[9]])
    answer_for(device, 3, 5)
    chain = chain_of(device)
    assert [(str(gap), gap.explanation is None) for gap in chain.gaps] == [
        ("2", True),
        ("3 à 5", False),
        ("6 à 9", True),
    ]
    assert (chain.missing, sum(gap.size for gap in chain.unexplained)) == (8, 5)
    entry = db.session.query(AuditEntry).one()
    assert (entry.action, entry.subject, entry.actor) == ("gap-explained", "Accueil-2", "referent@test")
    assert entry.detail == {"first_seq": 3, "last_seq": 5, "reason": "Tablette volée"}


@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 2), (2, 4), (3, 2), (0, 0), (-5, 3)])
def test_numbers_that_are_here_or_unknown_cannot_be_explained(database: Flask, first: int, last: int) -> None:
    device = a_device(high_seq=4)
    texts = chained(device, range(1, 5))
    receive(device, [texts[0], texts[3]])
    with pytest.raises(ExplanationError):
        answer_for(device, first, last)
    answer_for(device, 2, 3)
    with pytest.raises(ExplanationError):
        answer_for(device, 2, 3)


def test_an_explanation_needs_words(database: Flask) -> None:
    device = a_device(high_seq=1)
    with pytest.raises(ExplanationError, match="10 caractères"):
        answer_for(device, 1, 1, "")


def test_an_explained_gap_stays_with_the_wave_beside_it_and_an_unexplained_one_concerns_all(
    database: Flask,
) -> None:
    device = a_device(high_seq=5)
    texts = chained(device, range(1, 4))
    receive(device, [texts[0], texts[2]])
    receive(device, chained(device, [5], prev="e" * 64, wave="autre-2026"))
    assert [str(gap) for gap in chain_of(device, "autre-2026").gaps] == ["2", "4"]
    answer_for(device, 2, 2)
    answer_for(device, 4, 4)
    assert [str(gap) for gap in chain_of(device, "autre-2026").gaps] == ["4"]
    assert [str(gap) for gap in chain_of(device, WAVE).gaps] == ["2", "4"]
    assert chain_of(device, WAVE).received == 2
