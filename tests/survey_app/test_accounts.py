"""Accounts of staff: sign-in, delays, ends of sessions, passphrases, and the referent who must remain."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from survey_app import accounts, audit
from survey_app.accounts import AccountError
from survey_app.database import db
from survey_app.models import User
from survey_app.passphrases import PassphraseError, check_passphrase, new_passphrase
from tests.survey_app.staff_site import StaffSite, form_token, post, sign_in

FAILED = "Adresse ou phrase secrète inexacte"


def test_the_right_passphrase_opens_the_staff_pages(site: StaffSite) -> None:
    answer = site.client("reader").get("/gestion/")
    assert answer.status_code == 200
    assert "À faire" in answer.text


@pytest.mark.abuse("AC-70")
def test_signed_in_pages_are_never_kept(site: StaffSite) -> None:
    answer = site.client().get("/gestion/comptes")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]


def test_the_cookie_is_host_only_secure_and_closed_to_scripts_and_other_sites(site: StaffSite) -> None:
    cookie = site.client(None).get("/gestion/connexion").headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    for attribute in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie


@pytest.mark.abuse("AC-45")
def test_unknown_wrong_and_disabled_accounts_get_the_same_page(site: StaffSite) -> None:
    known, disabled = site.add("reader"), site.add("director")
    with site.database():
        accounts.set_active(disabled, active=False, actor="test")
    tries = {
        "nobody@prefecture.test.fr": "x" * 20,
        known: "x" * 20,
        disabled: site.passphrases[disabled],
    }
    pages = {email: sign_in(site.client(None), email, passphrase) for email, passphrase in tries.items()}
    assert {page.status_code for page in pages.values()} == {200}
    assert all(FAILED in page.text for page in pages.values())
    assert len({_without_what_was_typed(page.text, email) for email, page in pages.items()}) == 1


def _without_what_was_typed(page: str, email: str) -> str:
    return re.sub(r'value="[^"]*"', "", page.replace(email, ""))


@pytest.mark.abuse("AC-42")
def test_after_five_failures_an_account_waits_even_for_the_right_passphrase(site: StaffSite) -> None:
    email = site.add("reader")
    client = site.client(None)
    with time_machine.travel("2026-11-23T10:00:00Z", tick=False) as clock:
        codes = [sign_in(client, email, "wrong" * 5).status_code for _ in range(6)]
        assert codes == [200] * 5 + [429]
        assert sign_in(client, email, site.passphrases[email]).status_code == 429
        clock.shift(61)
        assert sign_in(client, email, site.passphrases[email]).status_code == 302


@pytest.mark.abuse("AC-54")
def test_signing_in_needs_the_token_of_the_form(site: StaffSite) -> None:
    email = site.add("reader")
    answer = site.client(None).post(
        "/gestion/connexion", data={"email": email, "password": site.passphrases[email]}
    )
    assert answer.status_code == 400


@pytest.mark.abuse("AC-65")
@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example"],
)
def test_signing_in_never_leads_to_another_site(site: StaffSite, target: str) -> None:
    email, client = site.add("reader"), site.client(None)
    page = client.get("/gestion/connexion", query_string={"next": target}).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    form = {"email": email, "password": site.passphrases[email], "csrf_token": token[1], "next": target}
    answer = client.post("/gestion/connexion", query_string={"next": target}, data=form)
    location = answer.headers.get("Location", "")
    assert "\\" not in location  # browsers read it as a slash
    assert urlsplit(urljoin("https://localhost/gestion/connexion", location)).netloc == "localhost"


def test_after_signing_in_one_arrives_where_one_wanted_to_go(site: StaffSite) -> None:
    email, client = site.add("referent"), site.client(None)
    wanted = client.get("/gestion/comptes").headers["Location"]
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(wanted).text)
    assert token
    form = {
        "email": email,
        "password": site.passphrases[email],
        "csrf_token": token[1],
        "next": "/gestion/comptes",
    }
    assert client.post("/gestion/connexion", data=form).headers["Location"] == "/gestion/comptes"


@pytest.mark.abuse("AC-49")
def test_fifteen_idle_minutes_end_the_session(site: StaffSite) -> None:
    with time_machine.travel("2026-11-23T10:00:00Z", tick=False) as clock:
        client = site.client("reader")
        for _ in range(3):
            clock.shift(14 * 60)
            assert client.get("/gestion/").status_code == 200
        clock.shift(16 * 60)
        assert client.get("/gestion/").status_code == 302


@pytest.mark.abuse("AC-49")
def test_eight_hours_end_the_session_however_busy(site: StaffSite) -> None:
    with time_machine.travel("2026-11-23T08:00:00Z", tick=False) as clock:
        client = site.client("reader")
        answers = []
        for _ in range(49):
            clock.shift(10 * 60)
            answers.append(client.get("/gestion/").status_code)
        assert answers[:47] == [200] * 47
        assert answers[-1] == 302


EXPIRED = "Votre session a expiré."
LOST = "Ce que vous venez d’envoyer n’est pas enregistré."


def sign_in_again(site: StaffSite, client: FlaskClient, page: str) -> str:
    """Fill in the form that this page shows; gives where it leads."""
    hidden = re.search(r'name="next" value="([^"]*)"', page)
    assert hidden
    email = site.add("referent")
    form = {"email": email, "password": site.passphrases[email], "csrf_token": form_token(page)}
    return client.post("/gestion/connexion", data={**form, "next": hidden[1]}).location


@pytest.mark.parametrize("pause", [16 * 60, 20 * 3600])
def test_a_session_that_ended_says_so_and_leads_back_to_the_page(site: StaffSite, pause: int) -> None:
    with time_machine.travel("2026-11-23T10:00:00Z", tick=False) as clock:
        client = site.client()
        clock.shift(pause)
        page = client.get(client.get("/gestion/journal?avant=7").location).text
        assert EXPIRED in page
        assert LOST not in page
        assert sign_in_again(site, client, page) == "/gestion/journal?avant=7"
        assert EXPIRED not in client.get("/gestion/connexion").text


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        ("https://localhost/gestion/comptes?x=1", "/gestion/comptes?x=1"),
        ("https://evil.example/gestion/comptes", "/gestion/"),
        ("", "/gestion/"),
    ],
)
def test_a_form_sent_too_late_is_told_as_not_kept_and_leads_back(
    site: StaffSite, came_from: str, back: str
) -> None:
    with time_machine.travel("2026-11-23T10:00:00Z", tick=False) as clock:
        client = site.client()
        clock.shift(16 * 60)
        answer = client.post("/gestion/comptes", data={"email": "x"}, headers={"Referer": came_from})
        assert answer.status_code == 303
        page = client.get(answer.location).text
        assert EXPIRED in page
        assert LOST in page
        assert sign_in_again(site, client, page) == back


def test_nobody_is_told_of_a_session_that_they_ended_themselves_or_never_had(site: StaffSite) -> None:
    client = site.client()
    left = client.post("/gestion/deconnexion", data={"csrf_token": form_token(client.get("/gestion/").text)})
    stranger = site.client(None)
    for page in (client.get(left.location), stranger.get(stranger.get("/gestion/").location)):
        assert "Se connecter" in page.text
        assert EXPIRED not in page.text
    assert stranger.post("/gestion/comptes").status_code == 401


@pytest.mark.abuse("AC-48")
def test_a_copied_cookie_is_dead_after_signing_out(site: StaffSite) -> None:
    client = site.client("reader")
    cookie = client.get_cookie("__Host-session")
    assert cookie is not None
    assert client.post("/gestion/deconnexion").status_code == 302
    thief = site.client(None)
    thief.set_cookie("__Host-session", cookie.value)
    assert thief.get("/gestion/").status_code == 302


@pytest.mark.abuse("AC-48")
@pytest.mark.parametrize("change", ["disable", "roles", "reset"])
def test_sessions_end_when_the_account_changes(site: StaffSite, change: str) -> None:
    client, email = site.client("reader"), site.add("reader")
    with site.database():
        if change == "disable":
            accounts.set_active(email, active=False, actor="test")
        elif change == "roles":
            accounts.set_roles(email, ["director"], actor="test")
        else:
            accounts.reset_passphrase(email, actor="test")
    assert client.get("/gestion/").status_code == 302


def test_one_changes_ones_own_passphrase_and_signs_in_with_it(site: StaffSite) -> None:
    client, email = site.client("reader"), site.add("reader")
    wanted = "quatre mots sans rapport"
    form = {"present": site.passphrases[email], "wanted": wanted}
    assert post(client, "/gestion/mon-compte", form).status_code == 303
    assert client.get("/gestion/").status_code == 302
    assert sign_in(client, email, wanted).status_code == 302


@pytest.mark.parametrize(
    "form, message",
    [
        ({"present": "not the present one", "wanted": "quatre mots sans rapport"}, "actuelle est inexacte"),
        ({"wanted": "trop court"}, "Au moins 16"),
    ],
)
def test_a_wrong_change_of_passphrase_is_explained(
    site: StaffSite, form: dict[str, str], message: str
) -> None:
    client, email = site.client("reader"), site.add("reader")
    answer = post(client, "/gestion/mon-compte", {"present": site.passphrases[email], **form})
    assert answer.status_code == 422
    assert message in answer.text


@pytest.mark.parametrize(
    "passphrase",
    ["court", "a" * 40, "motdepassemotdepasse", "abcdefghijklmnopqr", "claire.martin et moi", "x1" * 80],
)
def test_a_passphrase_that_can_be_guessed_is_refused(passphrase: str) -> None:
    with pytest.raises(PassphraseError):
        check_passphrase(passphrase, "claire.martin@prefecture.fr")


@pytest.mark.parametrize("passphrase", ["un cheval bleu dort", "CORRECT HORSE BATTERY", "ωδήμητραςτηςαυγής1"])
def test_length_is_enough_whatever_the_kinds_of_characters(passphrase: str) -> None:
    check_passphrase(passphrase, "claire.martin@prefecture.fr")


def test_the_platforms_passphrases_differ_and_pass_its_own_rule() -> None:
    made = {new_passphrase() for _ in range(200)}
    assert len(made) == 200
    for passphrase in made:
        check_passphrase(passphrase)


def test_the_referent_adds_a_person_who_can_sign_in(site: StaffSite) -> None:
    client = site.client()
    form = {"email": "Nouvelle@Prefecture.test.fr", "name": "Nour Velle", "roles": ["reader", "technician"]}
    page = post(client, "/gestion/comptes", form).text
    shown = re.search(r'class="secret">([^<]+)<', page)
    assert shown
    assert sign_in(site.client(None), "nouvelle@prefecture.test.fr", shown[1]).status_code == 302
    with site.database():
        user = accounts.find_user("nouvelle@prefecture.test.fr")
        assert {role.name for role in user.roles} == {"reader", "technician"}
        assert user.password is not None
        assert user.password.startswith("$argon2id$")
        assert shown[1] not in "".join(str(vars(entry)) for entry in audit.latest(100))


@pytest.mark.parametrize(
    "form, message",
    [
        ({"email": "pas une adresse", "roles": ["reader"]}, "complète"),
        ({"email": "a@prefecture.test.fr", "roles": []}, "Choisissez au moins un rôle"),
        ({"email": "a@prefecture.test.fr", "roles": ["king"]}, "Choisissez un rôle"),
        ({"email": "referent@prefecture.test.fr", "roles": ["reader"]}, "déjà un compte"),
    ],
)
def test_an_impossible_account_is_explained(site: StaffSite, form: dict[str, object], message: str) -> None:
    answer = post(site.client(), "/gestion/comptes", {"name": "X", **form})
    assert answer.status_code == 422
    assert message in answer.text


@pytest.mark.abuse("AC-56")
def test_the_last_referent_cannot_be_disabled_nor_lose_the_role(site: StaffSite) -> None:
    email = site.add("referent")
    with site.database():
        with pytest.raises(AccountError, match="au moins un référent"):
            accounts.set_active(email, active=False, actor="test")
        with pytest.raises(AccountError, match="au moins un référent"):
            accounts.set_roles(email, ["reader"], actor="test")
        accounts.add_user("second@prefecture.test.fr", "Second", ["referent"], actor="test")
        accounts.set_active(email, active=False, actor="test")
        assert not accounts.find_user(email).active


def test_the_users_page_changes_resets_disables_and_enables(site: StaffSite) -> None:
    client, email = site.client(), site.add("reader")
    with site.database():
        number = accounts.find_user(email).id
    page = "/gestion/comptes"
    assert post(client, f"{page}/{number}/roles", {"roles": ["director"]}, page=page).status_code == 303
    assert "secret" in post(client, f"{page}/{number}/phrase", page=page).text
    assert post(client, f"{page}/{number}/desactiver", page=page).status_code == 303
    with site.database():
        assert not accounts.find_user(email).active
    assert post(client, f"{page}/{number}/activer", page=page).status_code == 303
    assert post(client, f"{page}/999/activer", page=page).status_code == 404
    with site.database():
        assert accounts.find_user(email).active
        assert {entry.action for entry in audit.latest(50)} >= {
            "roles-changed",
            "passphrase-reset",
            "user-disabled",
            "user-enabled",
            "sign-in",
        }


@pytest.mark.abuse("AC-28")
def test_no_address_of_anybody_is_stored_by_signing_in(site: StaffSite) -> None:
    email = site.add("reader")
    sign_in(site.client(None), email, site.passphrases[email], **{"X-Forwarded-For": "198.51.100.77"})
    with site.database():
        user = db.session.scalars(select(User)).unique().first()
        stored = str(vars(user)) + "".join(str(vars(entry)) for entry in audit.latest(50))
        assert "127.0.0.1" not in stored
        assert "198.51.100.77" not in stored
