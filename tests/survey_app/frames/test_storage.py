"""From the check to the tables: nothing before the confirmation, all of it or nothing after, no file kept."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from survey_app import waves
from survey_app.database import db, write_transaction
from survey_app.frames import FrameError, freeze_for_wave, import_frame, storage
from survey_app.frames.storage import (
    PendingFrame,
    delete_frame,
    find_frame,
    frames,
    pending,
    seal,
    units_of,
    unseal,
)
from survey_app.frames.synthetic import synthetic_frame
from survey_app.invitation_models import SampledUnit, SamplingFrame
from survey_app.models import AuditEntry
from tests.survey_app.frames.file_states import NEVER_KEPT, read
from tests.survey_app.frames.lists import TODAY, checked
from tests.survey_app.frames.test_freezing import ALL, prepared_wave
from tests.survey_app.staff_site import WAVE

KEY = "k7Qw2ZpLx9Rt4VbN8mYc3HdF6sGj1AeU"
NOW = dt.datetime(2026, 9, 2, 9, 0, tzinfo=dt.UTC)
FILES = ("9-rne-maires-2020.txt", "annuaire.csv", "v_commune.csv")


def a_pending(**changes: object) -> PendingFrame:
    given = {"title": "Maires", "source": "RNE", "source_date": TODAY, "today": TODAY, **changes}
    return pending(checked(*map(read, FILES)), **given)  # type: ignore[arg-type]


def test_what_was_sealed_comes_back_the_same() -> None:
    frame = a_pending()
    sealed = seal(frame, actor="a", secret_key=KEY, now=NOW)
    assert unseal(sealed, actor="a", secret_key=KEY, now=NOW) == frame
    assert unseal(
        seal(synthetic_frame(), actor="a", secret_key=KEY, now=NOW), actor="a", secret_key=KEY, now=NOW
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"actor": "b"}, "relue"),
        ({"secret_key": KEY[::-1]}, "relue"),
        ({"now": NOW + dt.timedelta(hours=13)}, "douze heures"),
        ({"text": "AAAA"}, "relue"),
        ({"text": "é"}, "relue"),
        ({"text": ""}, "relue"),
    ],
)
def test_a_field_of_somebody_else_or_of_yesterday_or_of_nobody_is_refused(
    changed: dict[str, object], told: str
) -> None:
    text = seal(a_pending(), actor="a", secret_key=KEY, now=NOW)
    given = {"text": text, "actor": "a", "secret_key": KEY, "now": NOW, **changed}
    with pytest.raises(FrameError, match=told):
        unseal(given.pop("text"), **given)  # type: ignore[arg-type]


def test_a_title_a_source_and_a_past_day_are_asked_for_all_at_once() -> None:
    with pytest.raises(FrameError) as refused:
        a_pending(title=" ", source="", source_date=TODAY + dt.timedelta(days=1))
    assert len(refused.value.faults) == 3


def test_a_list_too_large_for_a_page_is_refused_kindly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "LONGEST_SEALED", 1_000)
    with pytest.raises(FrameError, match="265 destinataires : c’est trop pour une liste"):
        seal(synthetic_frame(), actor="a", secret_key=KEY, now=NOW)


def test_the_largest_list_that_is_taken_fits_into_a_page() -> None:
    """Ten thousand people with names of their own: below what a form may carry."""
    one = synthetic_frame()
    many = tuple(
        (*unit[:8], f"{unit[8]}{at}", f"N{at}{unit[9]}", f"m{at}.{unit[2]}@x.test", *unit[11:])
        for at in range(38)
        for unit in one.units
    )
    assert len(many) > 10_000
    assert seal(replace(one, units=many), actor="a", secret_key=KEY, now=NOW)


def test_a_list_is_written_whole_with_its_source_hash_and_day(database: Flask) -> None:
    frame = a_pending()
    made = import_frame(frame, actor="referent@x.fr")
    kept = find_frame(made.id)
    assert kept is not None
    assert (kept.title, kept.source, kept.source_date, kept.imported_by) == (
        "Maires",
        "RNE",
        TODAY,
        "referent@x.fr",
    )
    assert kept.file_name == ", ".join(FILES)
    assert kept.file_hash == frame.file_hash
    assert len(kept.file_hash) == 64
    units = units_of(made.id)
    assert len(units) == 8
    niort = next(unit for unit in units if unit.authority_code == "79191")
    assert (niort.arrondissement, niort.office, niort.civility, niort.last_name, niort.inhabitants) == (
        "Niort",
        "mayor",
        "Monsieur",
        "BRANDELIÈRE",
        59000,
    )
    logged = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "frame-imported")).one()
    assert logged.detail == {"files": dict(frame.files), "units": 8, "left_out": 0}


def test_no_birth_no_profession_and_no_nuance_is_in_the_database(database: Flask) -> None:
    import_frame(a_pending(), actor="x")
    everything = json.dumps(
        [
            [str(value) for value in row]
            for table in db.metadata.sorted_tables
            for row in db.session.execute(sa.select(table))
        ],
        ensure_ascii=False,
    )
    assert "BRANDELIÈRE" in everything
    assert not [secret for secret in (*NEVER_KEPT, "1961") if secret in everything]


def test_the_same_list_confirmed_twice_is_written_once(database: Flask) -> None:
    first, second = import_frame(a_pending(), actor="x"), import_frame(a_pending(), actor="x")
    assert (first.new, second.new, second.id) == (True, False, first.id)
    assert [count for _, count in frames()] == [8]


def test_a_fault_in_the_middle_leaves_nothing(database: Flask) -> None:
    one = a_pending()
    broken = replace(one, units=(*one.units[:5], (None, *one.units[5][1:]), *one.units[6:]))
    with pytest.raises(sa.exc.IntegrityError):
        import_frame(broken, actor="x")
    db.session.rollback()
    for table in (SamplingFrame, SampledUnit, AuditEntry):
        assert db.session.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_mandates_of_one_person_share_a_number_that_tells_nothing(database: Flask) -> None:
    files = [read(name) for name in ("elus-maires-2024.csv", "elus-cd-2024.csv")]
    frame = pending(checked(*files), title="T", source="S", source_date=TODAY, today=TODAY)
    of = {unit.last_name + unit.office: unit.person for unit in units_of(import_frame(frame, actor="x").id)}
    assert of["CHAUVIGNOTmayor"] == of["CHAUVIGNOTcouncillor"]
    assert len(set(of.values())) == len(of) - 1
    assert all(len(person) == 32 for person in of.values())


def test_a_list_is_deleted_with_its_people_unless_a_wave_works_on_it(database: Flask) -> None:
    prepared_wave()
    used, other = import_frame(synthetic_frame(), actor="x").id, import_frame(a_pending(), actor="x").id
    freeze_for_wave(WAVE, used, "authority", ALL, actor="x")
    delete_frame(other, actor="x")
    delete_frame(other, actor="x")
    assert [frame.id for frame, _ in frames()] == [used]
    with pytest.raises(FrameError, match="travaille sur cette liste"):
        delete_frame(used, actor="x")
    assert waves.find_wave(WAVE) is not None
    with write_transaction() as transaction:
        assert transaction.scalar(sa.select(sa.func.count()).select_from(SampledUnit)) == 265


def test_a_list_whose_people_are_past_their_term_can_be_imported_again(database: Flask) -> None:
    first = import_frame(a_pending(), actor="x")
    with write_transaction() as transaction:
        transaction.execute(sa.delete(SampledUnit))
    again = import_frame(a_pending(), actor="x")
    assert again.new
    assert again.id != first.id
