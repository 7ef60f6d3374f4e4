"""Who is asked: one link per authority or per person, N per stratum, no stratum below the threshold."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from flask import Flask

from survey_app import questionnaires, waves
from survey_app.audit import act
from survey_app.database import db
from survey_app.frames import (
    FrameError,
    freeze,
    freeze_for_wave,
    frozen_frame,
    import_frame,
    write_wave_frame,
)
from survey_app.frames.freezing import code_of
from survey_app.frames.synthetic import COMMUNES, synthetic_frame
from survey_app.invitation_models import SampledUnit, WaveFrame
from survey_app.models import AuditEntry, Wave
from tests.survey_app.staff_site import WAVE, a_plan, a_source

ALL = ("commune", "intercommunality", "department")


def a_line(code: str = "79191", **values: object) -> SampledUnit:
    usual: dict[str, object] = {
        "id": f"{code}-{sorted(values.items())}",
        "frame_id": 1,
        "line": 2,
        "authority_kind": "commune",
        "authority_code": code,
        "authority_name": code,
        "arrondissement": "Niort",
        "inhabitants": 300,
        "office": "mayor",
        "civility": "",
        "first_name": "",
        "last_name": code,
        "person": code,
        "email": None,
        "postal_address": None,
    }
    return SampledUnit(**{**usual, **values})


def some_lines(number: int, **values: object) -> list[SampledUnit]:
    return [a_line(f"79{at:03}", **values) for at in range(number)]


def test_an_authority_is_asked_once_through_its_highest_office() -> None:
    lines = [a_line(office="deputy", person="a"), a_line(office="mayor", person="b", line=9)]
    frozen = freeze(1, lines, "authority", ("commune",))
    assert [unit.unit_id for unit in frozen.units] == [lines[1].id]


def test_a_person_is_asked_once_for_all_mandates() -> None:
    lines = [
        a_line(office="mayor", person="a"),
        a_line("200", authority_kind="intercommunality", office="vice_president", person="a"),
        a_line("200", authority_kind="intercommunality", office="councillor", person="b"),
    ]
    frozen = freeze(1, lines, "person", ALL)
    assert {unit.unit_id for unit in frozen.units} == {lines[0].id, lines[2].id}


def test_only_the_chosen_kinds_and_offices_are_asked() -> None:
    lines = [a_line(), a_line("200", authority_kind="intercommunality", office="president", person="p")]
    assert freeze(1, lines, "person", ("commune",)).population == 1
    assert freeze(1, lines, "person", ALL, offices=("president",)).population == 1
    with pytest.raises(FrameError, match="Aucun destinataire"):
        freeze(1, lines, "person", ("department",))


def test_the_strata_of_the_department_are_all_large_enough_and_add_up() -> None:
    lines = [
        *some_lines(40, arrondissement="Niort"),
        *[a_line(f"79{at}", inhabitants=3000, arrondissement="Niort") for at in range(100, 104)],
        *[a_line(f"79{at}", arrondissement="Bressuire") for at in range(200, 230)],
        a_line("79", authority_kind="department", arrondissement=None, inhabitants=None, office="president"),
    ]
    frozen = freeze(1, lines, "authority", ALL)
    standing = {stratum.code: stratum for stratum in frozen.standing()}
    assert {code: stratum.population for code, stratum in standing.items()} == {
        "niort.commune.under_500": 45,
        "bressuire.commune.under_500": 30,
    }
    into = {stratum.code: stratum.merged_into for stratum in frozen.strata if stratum.merged_into}
    assert into == {
        "niort.commune.from_2000": "niort.commune.under_500",
        "departement.department": "niort.commune.under_500",
    }
    assert "2\u202f000 habitants ou plus" in standing["niort.commune.under_500"].title
    assert Counter(unit.stratum for unit in frozen.units) == {
        code: stratum.population for code, stratum in standing.items()
    }


def test_without_merging_small_strata_would_stand() -> None:
    """Control: with a threshold of one, nothing is merged and a stratum of four stands."""
    lines = [*some_lines(40), *[a_line(f"79{at}", inhabitants=3000) for at in range(100, 104)]]
    assert min(s.population for s in freeze(1, lines, "authority", ALL, smallest=1).standing()) == 4
    assert min(s.population for s in freeze(1, lines, "authority", ALL).standing()) >= 11


def test_codes_of_strata_are_different_for_different_strata() -> None:
    keys = list(product(("", "Niort"), ("mayor", "deputy"), ("", "under_500")))
    assert len({code_of(key) for key in keys}) == len(keys)


def test_the_hash_is_that_of_the_contents_and_notices_one_letter() -> None:
    def digest(**change: object) -> str:
        lines = [*some_lines(12), a_line("79300", **change)]
        for number, line in enumerate(lines):
            line.id = f"{number}-{change}"
        return freeze(1, lines, "authority", ALL).source_hash

    assert digest() == digest()
    assert len({digest(), digest(email="a@b.fr"), digest(last_name="Autre"), digest(inhabitants=9000)}) == 4


def prepared_wave() -> None:
    version = questionnaires.publish_source(a_source(), {}, actor="test")
    waves.create_wave(a_plan(version.digest), actor="test")


def test_the_synthetic_list_has_the_communes_of_the_department_and_is_the_same_each_time() -> None:
    frame = synthetic_frame(7)
    assert frame == synthetic_frame(7)
    assert frame != synthetic_frame(8)
    where = Counter(unit[4] for unit in frame.units if unit[1] == "commune")
    assert where == COMMUNES
    assert sum(where.values()) == 256
    assert len({unit[3] for unit in frame.units}) == len(frame.units)
    assert len({unit[2] for unit in frame.units}) == len(frame.units)


def test_a_frozen_list_is_written_with_its_strata_and_stays_what_it_was(database: Flask) -> None:
    prepared_wave()
    frame_id = import_frame(synthetic_frame(), actor="referent").id
    frozen = freeze_for_wave(WAVE, frame_id, "authority", ALL, actor="referent")
    kept = db.session.get_one(WaveFrame, WAVE)
    assert (kept.population, kept.unit, kept.kinds) == (265, "authority", [*ALL])
    assert kept.source_hash == frozen.source_hash
    assert sum(one["population"] for one in kept.strata if one["merged_into"] is None) == 265
    assert min(one["population"] for one in kept.strata if one["merged_into"] is None) >= 11
    assert {one["arrondissement"] for one in kept.strata} >= {"Niort", "Bressuire", "Parthenay"}
    assert db.session.get_one(Wave, WAVE).population == 265
    assert frozen_frame(frame_id, "authority", ALL) == frozen
    logged = db.session.query(AuditEntry).filter_by(action="frame-frozen").one()
    assert (logged.subject, logged.detail["units"]) == (WAVE, 265)


def test_a_wave_is_frozen_anew_while_it_is_prepared_and_no_longer_once_it_is_open(database: Flask) -> None:
    prepared_wave()
    frame_id = import_frame(synthetic_frame(), actor="referent").id
    freeze_for_wave(WAVE, frame_id, "authority", ALL, actor="referent")
    assert freeze_for_wave(WAVE, frame_id, "authority", ("commune",), actor="referent").population == 256
    waves.open_wave(WAVE, actor="test")
    with pytest.raises(FrameError, match="pendant la préparation"):
        freeze_for_wave(WAVE, frame_id, "authority", ALL, actor="referent")
    assert db.session.get_one(WaveFrame, WAVE).population == 256


def test_a_list_that_is_gone_and_a_wave_that_is_not_there_are_refused(database: Flask) -> None:
    prepared_wave()
    frame_id = import_frame(synthetic_frame(), actor="referent").id
    frozen = frozen_frame(frame_id, "authority", ALL)
    with pytest.raises(FrameError, match="pendant la préparation"), act() as transaction:
        write_wave_frame(transaction, "nulle-part", frozen, actor="x")
    with pytest.raises(FrameError, match="Aucun destinataire"):
        frozen_frame(999, "authority", ALL)
