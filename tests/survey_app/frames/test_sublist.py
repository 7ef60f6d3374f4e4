"""A sublist after an event: by pasted codes, arrondissement or office; every unknown code is named."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from survey_app import questionnaires, waves
from survey_app.access import DIRECTOR
from survey_app.database import db
from survey_app.frames import FrameError, import_frame
from survey_app.frames.sublist import Sublist, chosen_units
from survey_app.frames.synthetic import synthetic_frame
from survey_app.invitation_models import Invitation, SampledUnit, WaveFrame
from survey_app.models import AuditEntry
from tests.survey_app.staff_site import WAVE, StaffSite, a_plan, a_source, post

UNITS = [
    SampledUnit(authority_code="79001", arrondissement="Niort", office="mayor"),
    SampledUnit(authority_code="79002", arrondissement="Niort", office="deputy"),
    SampledUnit(authority_code="79003", arrondissement="Bressuire", office="mayor"),
    SampledUnit(authority_code="200041416", arrondissement=None, office="president"),
]


def codes(sublist: Sublist) -> list[str]:
    return [unit.authority_code for unit in chosen_units(UNITS, sublist)]


@pytest.mark.parametrize(
    "pasted",
    [
        "79001\n79003",
        "79001, 79003",
        "79001;79003",
        "  79003\t79001\r\n",
        "79001 L’Absie\n79003 – Adilly\n\n",
    ],
)
def test_codes_are_read_as_they_are_pasted(pasted: str) -> None:
    assert codes(Sublist(codes=pasted)) == ["79001", "79003"]


def test_every_criterion_must_hold_and_without_any_it_is_everybody() -> None:
    assert codes(Sublist()) == [unit.authority_code for unit in UNITS]
    assert codes(Sublist(arrondissements=("Niort",))) == ["79001", "79002"]
    assert codes(Sublist(arrondissements=("Niort",), offices=("mayor",))) == ["79001"]
    assert codes(Sublist(codes="200041416")) == ["200041416"]


def test_every_unknown_code_is_named_with_its_line() -> None:
    with pytest.raises(FrameError) as fault:
        chosen_units(UNITS, Sublist(codes="79001\n79999 Ailleurs\nBressuire\n79998"))
    said = str(fault.value)
    assert "ligne 2, «\u202f79999\u202f»" in said
    assert "ligne 3, «\u202fBressuire\u202f»" in said
    assert "ligne 4, «\u202f79998\u202f»" in said
    assert "79001" not in said


def test_a_choice_that_leaves_nobody_is_refused() -> None:
    with pytest.raises(FrameError, match="Aucun destinataire"):
        chosen_units(UNITS, Sublist(codes="79003", arrondissements=("Niort",)))


@pytest.fixture
def prepared(site: StaffSite) -> tuple[StaffSite, int, list[str]]:
    """A list of 256 communes and an edition in preparation; gives the codes of Bressuire."""
    with site.database():
        frame = import_frame(synthetic_frame(), actor="test").id
        source = a_source(
            **{
                "[tablet, website, paper]": "[personal_link]",
                "[accueil_general, point_numerique]": "[a_distance]",
            }
        )
        digest = questionnaires.publish_source(source, {}, actor="test").digest
        links = {"modes": ("personal_link",), "headline_modes": ("personal_link",)}
        places = {"sites": ("a_distance",), "headline_sites": ("a_distance",)}
        waves.create_wave(a_plan(digest, **links, **places), actor="test")
        units = db.session.query(SampledUnit).filter_by(frame_id=frame, arrondissement="Bressuire")
        found = [unit.authority_code for unit in units if unit.authority_kind == "commune"]
    return site, frame, found


def form(**more: object) -> dict[str, object]:
    return {"wave": WAVE, "unit": "authority", "kinds": ["commune"], **more}


def test_a_wave_is_sent_to_the_communes_of_an_event_alone(prepared: tuple[StaffSite, int, list[str]]) -> None:
    site, frame, bressuire = prepared
    client, page = site.client(DIRECTOR), f"/gestion/listes/{frame}"
    asked = form(codes="\n".join(bressuire[:30]))
    shown = post(client, f"{page}/destinataires", asked, page=page)
    assert "30 destinataires" in shown.text
    assert "Une partie de la liste seulement" in shown.text
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
    assert hidden["codes"].split() == bressuire[:30]
    done = post(client, f"{page}/destinataires", {**asked, "confirmed": "1"}, page=page)
    assert done.status_code == 303
    with site.database():
        assert db.session.query(Invitation).filter_by(wave_id=WAVE).count() == 30
        assert db.session.get_one(WaveFrame, WAVE).population == 30
        (entry,) = db.session.query(AuditEntry).filter_by(action="frame-frozen")
        assert entry.detail["sublist"]["codes"].split() == bressuire[:30]


@pytest.mark.abuse("AC-23")
def test_fewer_than_22_people_are_refused_unless_the_edition_says_it_is_nominative(
    prepared: tuple[StaffSite, int, list[str]],
) -> None:
    site, frame, bressuire = prepared
    client, page = site.client(DIRECTOR), f"/gestion/listes/{frame}"
    asked = form(codes=" ".join(bressuire[:21]), confirmed="1")
    refused = post(client, f"{page}/destinataires", asked, page=page)
    assert refused.status_code == 422
    assert "21 destinataires" in refused.text
    with site.database():
        assert db.session.get(WaveFrame, WAVE) is None
        plan = waves.plan_of(waves.find_wave(WAVE))  # type: ignore[arg-type]
        waves.change_wave(WAVE, replace(plan, anonymity="nominative"), actor="test")
    assert post(client, f"{page}/destinataires", asked, page=page).status_code == 303
    with site.database():
        assert db.session.get_one(WaveFrame, WAVE).nominative


def test_an_unknown_code_fixes_nothing_and_keeps_what_was_typed(
    prepared: tuple[StaffSite, int, list[str]],
) -> None:
    site, frame, bressuire = prepared
    client, page = site.client(DIRECTOR), f"/gestion/listes/{frame}"
    answer = post(
        client, f"{page}/destinataires", form(codes=f"{bressuire[0]}\n99999", confirmed="1"), page=page
    )
    assert answer.status_code == 422
    assert "ligne 2, «\u202f99999\u202f»" in answer.text
    assert bressuire[0] in answer.text
    with site.database():
        assert db.session.get(WaveFrame, WAVE) is None
