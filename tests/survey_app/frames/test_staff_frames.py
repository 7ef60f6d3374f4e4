"""The pages of the lists: files, check, confirmation, and who is asked in an edition."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections import Counter

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from survey_app import questionnaires, waves
from survey_app.access import DIRECTOR
from survey_app.audit import act
from survey_app.database import db
from survey_app.frames import import_frame
from survey_app.frames.storage import LONGEST_SEALED
from survey_app.frames.synthetic import synthetic_frame
from survey_app.invitation_models import Invitation, Mailing, MailMessage, SamplingFrame, WaveFrame
from survey_app.invitations.links import address_hash
from survey_app.invitations.objections import add_objection
from survey_app.models import AuditEntry, Wave
from tests.page_checks import assert_good_pages
from tests.survey_app.frames.file_states import NEVER_KEPT, read
from tests.survey_app.staff_site import WAVE, StaffSite, a_plan, a_source, form_token, post

PATH = "/gestion/listes"
IMPORT = f"{PATH}/importer"
FILES = ("9-rne-maires-2020.txt", "annuaire.csv", "v_commune.csv")


def send(client: FlaskClient, *files: tuple[str, bytes], **form: str) -> TestResponse:
    """Files to be checked."""
    data = {
        "title": "Maires",
        "source": "RNE",
        "source_date": "2022-12-01",
        **form,
        "files": [(io.BytesIO(raw), name) for name, raw in files],
        "csrf_token": form_token(client.get(IMPORT).text),
    }
    return client.post(IMPORT, data=data, content_type="multipart/form-data")


def sealed_in(page: TestResponse) -> str:
    found = re.search(r'name="sealed" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def confirm(client: FlaskClient, page: TestResponse) -> TestResponse:
    data = {"sealed": sealed_in(page), "csrf_token": form_token(page.text)}
    return client.post(PATH, data=data)


def rows(site: StaffSite) -> int:
    with site.database():
        return db.session.scalar(sa.select(sa.func.count()).select_from(SamplingFrame)) or 0


def prepared(site: StaffSite) -> int:
    """An edition by personal link in preparation, and the synthetic list; gives its number."""
    with site.database():
        source = a_source(**{"website, paper]": "website, paper, personal_link]"})
        version = questionnaires.publish_source(source, {}, actor="test")
        plan = a_plan(version.digest, modes=("personal_link",), headline_modes=("personal_link",))
        waves.create_wave(plan, actor="test")
        return import_frame(synthetic_frame(), actor="test").id


def fix(client: FlaskClient, frame_id: int, **form: object) -> TestResponse:
    given = {"wave": WAVE, "unit": "authority", "kinds": ["commune"], **form}
    return post(client, f"{PATH}/{frame_id}/destinataires", given, page=f"{PATH}/{frame_id}")


def test_the_check_shows_what_was_understood_and_writes_nothing(site: StaffSite) -> None:
    client = site.client()
    page = send(client, *map(read, FILES))
    assert page.status_code == 200
    for words in (
        "Rien n’est encore enregistré",
        "Lignes à importer</dt><dd>8",
        "Importer 8 lignes",
        "Code Insee de la commune",  # their heading
        "Jamais lues",
        "Nuance politique (C. Mun.)",
        "1 boîte partagée",
        "secretariat@pays.test (2)",
        "BRANDELIÈRE",
        "1 ligne d’un autre département",
    ):
        assert words in page.text, words
    assert not [secret for secret in (*NEVER_KEPT, "9/3/1961") if secret in page.text]
    assert rows(site) == 0
    with site.database():
        assert (
            db.session.scalar(sa.select(AuditEntry.id).where(AuditEntry.action == "frame-imported")) is None
        )


def test_the_confirmed_list_is_written_once_logged_and_shown(site: StaffSite) -> None:
    client = site.client()
    page = send(client, *map(read, FILES))
    answer = confirm(client, page)
    assert answer.status_code == 303
    shown = client.get(answer.location)
    assert "8 lignes importées" in shown.text
    assert "BRANDELIÈRE" in shown.text
    assert "par lettre" in shown.text
    assert "déjà importée" in client.get(confirm(client, page).location).text
    assert rows(site) == 1
    assert "Liste d’élus importée" in client.get("/gestion/journal").text
    assert "Maires" in client.get(PATH).text


def test_a_check_of_somebody_else_is_not_confirmed(site: StaffSite) -> None:
    page = send(site.client(), *map(read, FILES))
    director = site.client(DIRECTOR)
    data = {"sealed": sealed_in(page), "csrf_token": form_token(director.get(IMPORT).text)}
    answer = director.post(PATH, data=data)
    assert answer.status_code == 422
    assert "Déposez à nouveau les fichiers" in answer.text
    assert rows(site) == 0


def test_the_largest_check_that_is_sealed_still_fits_into_the_form(site: StaffSite) -> None:
    client = site.client()
    data = {"sealed": "A" * LONGEST_SEALED, "csrf_token": form_token(client.get(IMPORT).text)}
    answer = client.post(PATH, data=data)
    assert answer.status_code == 422  # unreadable, but not too large: that would be 413
    assert "relue" in answer.text


def test_a_refused_import_tells_every_fault_and_keeps_what_was_typed(site: StaffSite) -> None:
    client = site.client()
    page = send(client, read("elus-epci-du-30-juillet-2024.csv"), ("vide.csv", b""), title="Mon titre")
    assert page.status_code == 422
    for words in ("liste des conseillers régionaux", "vide.csv", "le fichier est vide", 'value="Mon titre"'):
        assert words in page.text
    assert "AAAA-MM-JJ" in send(client, *map(read, FILES), source_date="hier").text
    assert "au moins un fichier" in send(client).text
    assert "dans l’avenir" in send(client, *map(read, FILES), source_date="2199-01-01").text


def test_bad_lines_are_shown_with_number_and_remedy(site: StaffSite) -> None:
    lines = "Code INSEE;Commune;Nom;Prénom;Courriel\n79191;Niort;A;B;a@niort\n7919x;Melle;C;D;\n"
    page = send(site.client(), ("liste.csv", lines.encode()))
    assert page.status_code == 200
    assert "n’est pas celui d’une commune" in page.text
    assert "n’est pas une adresse électronique" in page.text
    assert "2 lignes sans" not in page.text
    assert "Manque-t-il un fichier" in page.text


@pytest.mark.abuse("AC-60")
def test_names_of_files_headings_and_cells_are_never_markup(site: StaffSite) -> None:
    evil = "<img src=x onerror=alert(1)>"
    heading = f"Code INSEE;Commune;Nom;Prénom;Courriel;{evil}"
    text = f"{heading}\n79191;{evil};{evil};{evil};{evil};x\nx;{evil};a;b;c;d\n"
    client = site.client()
    page = send(client, (f"{evil}.csv", text.encode()), title=evil, source=evil)
    assert page.status_code == 200
    assert "<img" not in page.text
    shown = client.get(confirm(client, page).location)
    assert "<img" not in shown.text
    assert "&lt;img" in shown.text
    assert "<img" not in client.get(PATH).text


def test_those_who_objected_are_told_before_the_import(site: StaffSite) -> None:
    with site.database(), act() as transaction:
        add_objection(transaction, address_hash("mairie-79191@deux-sevres.test"), origin="referent")
    page = send(site.client(), *map(read, FILES))
    assert "1 destinataire ne veut plus être sollicité. Aucun message" in page.text
    by_letter = "Madame Odile VALBRÈGUE 1 place de l’Hôtel-de-Ville 79100 L’Absie"
    with site.database(), act() as transaction:
        add_objection(transaction, address_hash(by_letter), origin="link")
    page = send(site.client(), *map(read, FILES))
    assert "2 destinataires ne veulent plus être sollicités. Aucun message" in page.text


def test_a_date_older_than_an_office_is_pointed_out(site: StaffSite) -> None:
    page = send(site.client(), *map(read, FILES), source_date="2021-01-01")
    assert "Une fonction a commencé le 09/11/2022, après la date" in page.text


def test_who_would_be_asked_is_shown_before_anything_is_fixed(site: StaffSite) -> None:
    frame_id, client = prepared(site), site.client()
    page = fix(client, frame_id)
    assert page.status_code == 200
    assert "256 destinataires" in page.text
    assert "Niort, communes, moins de 500 habitants" in page.text
    with site.database():
        assert db.session.get(WaveFrame, WAVE) is None


def test_fixed_recipients_have_a_link_each_in_their_stratum(site: StaffSite) -> None:
    frame_id, client = prepared(site), site.client()
    answer = fix(client, frame_id, kinds=["commune", "intercommunality", "department"], confirmed="1")
    assert answer.status_code == 303, answer.text
    assert "265 liens sont prêts" in client.get(answer.location).text
    with site.database():
        frame = db.session.get_one(WaveFrame, WAVE)
        strata = {one["code"]: one["population"] for one in frame.strata if one["merged_into"] is None}
        assert Counter(db.session.scalars(sa.select(Invitation.stratum))) == strata
    assert fix(client, frame_id, confirmed="1").status_code == 303  # anew, while it is prepared
    with site.database():
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Invitation)) == 256
    assert "Liste d’élus effacée" not in client.get("/gestion/journal").text


def test_people_are_asked_by_their_offices(site: StaffSite) -> None:
    frame_id, client = prepared(site), site.client()
    everything = {"unit": "person", "kinds": ["commune", "intercommunality", "department"]}
    page = fix(client, frame_id, **everything, offices=["mayor", "president"])
    assert "265 destinataires, une réponse par personne" in page.text
    assert fix(client, frame_id, **everything, offices=["mayor"], confirmed="1").status_code == 303
    with site.database():
        kept = db.session.get_one(WaveFrame, WAVE)
        assert (kept.unit, kept.population) == ("person", 256)
    assert "au moins une fonction" in fix(client, frame_id, **everything).text


def test_recipients_do_not_change_once_mails_carry_their_links(site: StaffSite) -> None:
    frame_id, client = prepared(site), site.client()
    fix(client, frame_id, confirmed="1")
    with site.database(), act() as transaction:
        now = dt.datetime.now(dt.UTC)
        mailing = Mailing(
            wave_id=WAVE, kind="invitation", subject="", body="", created_at=now, created_by="x"
        )
        transaction.add(mailing)
        transaction.flush()
        one = transaction.scalars(sa.select(Invitation.id).limit(1)).one()
        transaction.add(
            MailMessage(
                mailing_id=mailing.id, invitation_id=one, message_id="m", return_tag="t", changed_at=now
            )
        )
    answer = fix(client, frame_id, kinds=["intercommunality", "commune"], confirmed="1")
    assert answer.status_code == 422
    assert "sa liste est fixée" in answer.text
    with site.database():
        assert db.session.get_one(WaveFrame, WAVE).population == 256


def test_too_few_people_for_anonymity_and_wrong_choices_are_refused(site: StaffSite) -> None:
    frame_id, client = prepared(site), site.client()
    few = fix(client, frame_id, kinds=["intercommunality"], confirmed="1")
    assert few.status_code == 422
    assert "l’anonymat ne tient pas" in few.text
    wrongs: list[dict[str, object]] = [{"wave": "nulle-part"}, {"unit": "x"}, {"kinds": []}, {"kinds": ["x"]}]
    for wrong in wrongs:
        assert fix(client, frame_id, **wrong).status_code == 422, wrong
    with site.database():
        assert db.session.get(WaveFrame, WAVE) is None


def test_too_few_are_refused_before_anything_is_offered_and_the_choice_stays(site: StaffSite) -> None:
    frame_id, client = prepared(site), site.client()
    with site.database():
        digest = db.session.get_one(Wave, WAVE).questionnaire_digest
        modes = ("personal_link",)
        later = a_plan(digest, id="alerte", title="Alerte", modes=modes, headline_modes=modes)
        waves.create_wave(later, actor="test")
    for edition in (WAVE, "alerte"):
        few = fix(client, frame_id, wave=edition, kinds=["intercommunality"])
        assert few.status_code == 422
        assert "l’anonymat ne tient pas" in few.text
        assert "Fixer ces destinataires" not in few.text
        assert f'<option value="{edition}" selected>' in few.text


def test_a_list_is_erased_unless_an_edition_works_on_it(site: StaffSite) -> None:
    frame_id, client = prepared(site), site.client()
    fix(client, frame_id, confirmed="1")
    kept = post(client, f"{PATH}/{frame_id}/supprimer", page=f"{PATH}/{frame_id}")
    assert kept.status_code == 422
    other = confirm(client, send(client, *map(read, FILES))).location
    assert post(client, f"{other}/supprimer", page=other).status_code == 303
    assert rows(site) == 1
    assert client.get(other).status_code == 404


def test_the_pages_of_the_lists_are_good_pages(site: StaffSite) -> None:
    frame_id, client = prepared(site), site.client()
    mixed = [*map(read, FILES), ("liste.csv", b"Code INSEE;Nom;Prenom;Courriel\n79191;A;B;c@d\nx;A;B;\n")]
    pages = {
        "lists": client.get(PATH),
        "files": client.get(IMPORT),
        "refused": send(client, ("a.csv", b"")),
        "check": send(client, *mixed),
        "list": client.get(f"{PATH}/{frame_id}"),
        "second": client.get(f"{PATH}/{frame_id}?page=2"),
        "strata": fix(client, frame_id),
        "refused-strata": fix(client, frame_id, kinds=[]),
    }
    assert_good_pages({name: (page.text, "fr") for name, page in pages.items()})
