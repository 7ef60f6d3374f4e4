"""A survey of officials works without JavaScript: lists, follow-up, letter, results, acts of a link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from survey_app.database import write_transaction
from survey_app.frames.letters import LETTER_CSS, laid_out
from survey_app.invitation_models import Invitation
from survey_app.invitations import links
from tests.browser.test_staff_pages import signed_in
from tests.browser.test_website_form import a_page
from tests.browsers import served
from tests.survey_app.invitations.link_site import LinkSite
from tests.survey_app.officials_site import BRESSUIRE, NIORT, WAVE, add_answers, close, seed_officials
from tests.survey_app.staff_site import StaffSite

pytestmark = pytest.mark.browser
LISTS = Path(__file__).parents[1] / "survey_app" / "data" / "frames"
EDITION = f"/gestion/editions/{WAVE}"


@pytest.fixture
def site(tmp_path: Path) -> StaffSite:
    """A published edition."""
    made = StaffSite(tmp_path)
    made.add("referent")
    with made.database():
        seed_officials()
        add_answers(60, 30, NIORT)
        add_answers(30, 10, BRESSUIRE)
        close(publish=True)
    return made


@pytest.fixture
def address(site: StaffSite, pages_closed_first: ExitStack) -> Iterator[str]:
    with served(site.app) as url, pages_closed_first:
        yield url


@pytest.fixture
def referent(browser: Browser, site: StaffSite, address: str) -> Page:
    return signed_in(browser, site, address, java_script_enabled=False)


def test_a_list_is_checked_and_imported(referent: Page, address: str) -> None:
    referent.goto(f"{address}/gestion/listes")
    referent.get_by_role("link", name="Importer une liste").click()
    referent.locator("input[type=file]").set_input_files(LISTS / "elus-maires-2024.csv")
    referent.locator("main button").click()
    referent.get_by_role("button", name=re.compile("Importer")).click()
    expect(referent.get_by_role("status")).to_contain_text("importée")
    expect(referent.get_by_role("heading", name="Fixer les destinataires d’une édition")).to_be_visible()


def test_the_follow_up_is_read_and_taken_away(referent: Page, address: str) -> None:
    referent.goto(f"{address}{EDITION}/suivi")
    expect(referent.get_by_role("row", name=re.compile("Ensemble 256")).first).to_be_visible()
    with referent.expect_download() as download:
        referent.get_by_role("link", name="Télécharger ce tableau (CSV)").click()
    assert "Niort" in download.value.path().read_text("utf-8-sig")


def test_the_letter_is_downloaded_signed_and_brought_back(
    referent: Page, address: str, tmp_path: Path
) -> None:
    referent.goto(f"{address}{EDITION}/lettre")
    with referent.expect_download() as download:
        referent.get_by_role("link", name="Télécharger la lettre (DOCX)").click()
    assert download.value.path().read_bytes().startswith(b"PK")
    signed = tmp_path / "lettre.pdf"
    signed.write_bytes(laid_out("<p>La lettre complétée, signée.</p>", LETTER_CSS).write_pdf())
    referent.get_by_label("Lettre signée, en PDF").set_input_files(signed)
    referent.get_by_role("button", name="Vérifier et joindre").click()
    referent.get_by_role("link", name="L’envoi « Résultats » est prêt").click()
    expect(referent.get_by_role("heading", level=1)).to_contain_text("Résultats")


def test_the_link_opens_the_results(browser: Browser, site: StaffSite, address: str) -> None:
    with site.database(), write_transaction() as transaction:
        chosen = sa.select(Invitation).where(Invitation.stratum == NIORT).limit(1)
        invitation = transaction.scalars(chosen).one()
        links.renew_hashes(invitation)
        token = links.token(invitation)
    page = a_page(browser, java_script_enabled=False)
    page.goto(f"{address}/r/{token}?lang=fr")
    page.get_by_role("button", name="Ouvrir").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Les résultats de l’enquête")
    expect(page.get_by_role("rowheader", name="Niort").first).to_be_visible()


@pytest.fixture
def link_site(tmp_path: Path) -> LinkSite:
    return LinkSite(tmp_path)


@pytest.fixture
def link_address(link_site: LinkSite, pages_closed_first: ExitStack) -> Iterator[str]:
    with served(link_site.app) as url, pages_closed_first:
        yield url


def opened(browser: Browser, address: str, link_site: LinkSite, place: int) -> Page:
    page = a_page(browser, java_script_enabled=False)
    page.goto(f"{address}/r/{link_site.token(place)}?lang=fr")
    return page


def test_a_link_is_handed_on_and_the_new_one_is_there_to_be_copied_by_hand(
    browser: Browser, link_site: LinkSite, link_address: str
) -> None:
    page = opened(browser, link_address, link_site, 0)
    page.get_by_role("button", name="Je transmets ce lien").click()
    page.get_by_role("button", name="Créer le nouveau lien").click()
    expect(page.get_by_label("Nouveau lien")).to_have_value(re.compile(f"/r/{link_site.token(0)}$"))
    expect(page.get_by_role("button", name="Copier le lien")).to_be_hidden()


@pytest.mark.parametrize(
    "first, sure, state",
    [
        ("Je ne souhaite pas répondre", "Je ne réponds pas cette fois", "declined"),
        ("Je ne souhaite pas répondre", "Ne plus jamais m’écrire", "objected"),
        ("Ce n’est pas moi", "Ce lien n’est pas pour moi", "wrong_person"),
    ],
)
def test_the_other_acts_of_a_link_work(
    browser: Browser, link_site: LinkSite, link_address: str, first: str, sure: str, state: str
) -> None:
    page = opened(browser, link_address, link_site, 0)
    page.get_by_role("button", name=first).click()
    page.get_by_role("main").get_by_role("button", name=sure).last.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert link_site.state(0) == state


def test_an_interview_is_saved_and_gone_on_with_elsewhere(
    browser: Browser, link_site: LinkSite, link_address: str
) -> None:
    page = opened(browser, link_address, link_site, 0)
    page.get_by_role("button", name="Commencer").click()
    page.get_by_label("Chaque semaine ou presque").check()
    page.get_by_role("button", name="Enregistrer et finir plus tard").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C’est enregistré")
    other = opened(browser, link_address, link_site, 0)
    other.get_by_role("button", name="Commencer").click()
    expect(other.get_by_label("Chaque semaine ou presque")).to_be_checked()


def test_the_button_against_further_mails_works(
    browser: Browser, link_site: LinkSite, link_address: str
) -> None:
    with link_site.app.app_context(), write_transaction() as transaction:
        token = links.unsubscribe_token(transaction.get_one(Invitation, link_site.numbers[0]))
    page = a_page(browser, java_script_enabled=False)
    page.goto(f"{link_address}/r/desinscription/{token}")
    page.get_by_role("button", name="Ne plus m’écrire").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C’est noté")
    assert link_site.state(0) == "objected"
