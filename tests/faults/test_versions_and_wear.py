"""A. What is newer, older, damaged or locked: the application, its files, its keys; a year in a cupboard."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import expect

from survey_app import assets
from survey_app.database import db
from survey_app.models import Response
from survey_app.responses.intake import judge_waiting
from survey_app.responses.record_keys import held
from tests.browser.tablet_browser import PATIENCE, begin, finish, next_person, wait_for_draft
from tests.faults.ledger import look_into
from tests.faults.one_tablet import (
    BUSY,
    OneTablet,
    Reply,
    expect_refusal,
    last_of,
    lines_told,
    refuse_records,
    take_records,
)
from tests.survey_app.tablet_site import FakeTablet, tablet_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

CLIENT: Final = Path(assets.__file__).parent / "client"


# 11: another version of the application


def newer_build(folder: Path) -> Path:
    """The client as the next release will build it: its database has a version more."""
    shutil.copytree(CLIENT, folder / "client", ignore=shutil.ignore_patterns("node_modules", "test"))
    (folder / "client" / "node_modules").symlink_to(CLIENT / "node_modules")
    store = folder / "client" / "src" / "store.ts"
    text = store.read_text("utf-8")
    assert "const VERSION = 2;" in text
    store.write_text(text.replace("const VERSION = 2;", "const VERSION = 3;"), "utf-8")
    built = folder / "build"
    subprocess.run(
        ["node", "build.mjs"],
        cwd=folder / "client",
        env={**os.environ, "BUILD_FOLDER": str(built)},
        check=True,
    )
    return built


def built_files(tablet: OneTablet, puts: bool) -> Callable[[str, str], Reply | None]:
    """Whatever `assets.BUILD` is now, its files are served; records are taken or not."""

    def answer(method: str, path: str) -> Reply | None:
        if method == "PUT" and not puts:
            return BUSY
        if not path.startswith("/static/build/"):
            return tablet.answer(method, path)
        content = (assets.BUILD / Path(path).name).read_bytes()
        return "200 OK", "text/css" if path.endswith(".css") else "text/javascript", content

    return answer


UPDATE = "() => void navigator.serviceWorker.getRegistration().then((found) => found.update())"


@pytest.mark.fault(11)
def test_a_newer_version_waits_for_the_person_who_answers_and_an_older_one_deletes_nothing(
    tablet: OneTablet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = assets.BUILD
    tablet.network.instead = built_files(tablet, puts=False)
    tablet.begin("commencé avant la nouvelle version")
    monkeypatch.setattr(assets, "BUILD", newer_build(tmp_path))
    other = tablet.page.context.new_page()
    other.goto(tablet.address)
    other.evaluate(UPDATE)
    expect_refusal(other, "blocked", "Cette page est ouverte dans une autre fenêtre")
    finish(tablet.page)
    next_person(tablet.page)  # until then, nobody may open the database anew: not even a test
    other.locator("a.language-card").first.wait_for()
    tablet.saved[last_of(other)] += 1
    other.close()
    monkeypatch.setattr(assets, "BUILD", older)
    tablet.page.evaluate(UPDATE)
    expect_refusal(tablet.page, "newer", "Une version plus récente de cette page a servi sur la tablette.")
    assert tablet.on_disk() == tablet.saved
    monkeypatch.setattr(assets, "BUILD", tmp_path / "build")
    tablet.network.instead = built_files(tablet, puts=True)
    tablet.page.evaluate(UPDATE)
    tablet.ready()
    tablet.deliver()
    tablet.assert_all_arrived()


# 12: the files of the database are damaged


def files_of_the_database(tablet: OneTablet) -> Path:
    (folder,) = (tablet.profile / "Default" / "IndexedDB").glob("*.leveldb")
    return folder


def flip_bytes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    for place in range(middle, min(len(content), middle + 200)):
        content[place] ^= 0xFF
    path.write_bytes(content)


def damaged_on_its_disk(tablet: OneTablet) -> Counter[str]:
    """One answer is delivered, one is on the disk when its files are damaged; gives the first one."""
    tablet.one_person("reçu")
    tablet.deliver()
    kept = tablet.saved.copy()
    refuse_records(tablet)
    tablet.begin("abîmé sur le disque")
    tablet.thanked()
    with tablet.page.expect_response("**/heartbeat"):
        next_person(tablet.page)
    tablet.switch_off()
    flip_bytes(next(files_of_the_database(tablet).glob("*.log")))
    take_records(tablet)
    return kept


@pytest.mark.fault(12)
def test_a_damaged_database_is_told_on_the_tablet_and_the_server_says_what_is_missing(
    tablet: OneTablet,
) -> None:
    kept = damaged_on_its_disk(tablet)
    tablet.switch_on()
    expect(tablet.page.locator("[data-notice=fault]")).to_have_text("mémoire en défaut, prévenez le référent")
    expect(tablet.page.locator("a.language-card").first).to_be_hidden()
    tablet.enrol_here()
    tablet.saved = kept
    tablet.one_person("sous la nouvelle inscription")
    tablet.deliver()
    tablet.assert_all_arrived()
    assert lines_told(tablet.site) == ["1 passé, 1 reçu, 0 manquant", "2 passés, 1 reçu, 1 manquant"]


NO_LOSS_TOLD = "Object.defineProperty(IDBVersionChangeEvent.prototype, 'dataLoss', { get: () => 'none' });"


def test_a_page_that_does_not_ask_the_browser_what_was_lost_takes_itself_for_a_new_tablet(
    tablet: OneTablet,
) -> None:
    """The control."""
    damaged_on_its_disk(tablet)
    tablet.switch_on(NO_LOSS_TOLD)
    expect(tablet.page.locator("#enrolment-code")).to_be_visible(timeout=PATIENCE)
    expect(tablet.page.locator("#agent-corner")).to_have_attribute("data-state", "none")
    expect(tablet.page.locator("[data-notice=fault]")).to_be_hidden()


ENDS = {
    "half a write": bytes.fromhex("01234567001001") + b"half",
    "a hole": bytes(64),
}
"""What a power cut leaves at the end of LevelDB's log: a piece of 4,096 bytes is announced (sum, length,
kind), and ends after four; or room was made, and nothing written there."""
NO_FRESH_LOG = "IDBFactory.prototype.deleteDatabase = () => ({});"
COUNT_LOGS = """
const remove = IDBFactory.prototype.deleteDatabase;
IDBFactory.prototype.deleteDatabase = function (name) {
  sessionStorage.setItem('logs', Number(sessionStorage.getItem('logs') ?? 0) + 1);
  return remove.call(this, name);
};"""


def two_lives_behind(end: bytes, tablet: OneTablet, *scripts: str) -> None:
    """The power goes in the middle of a write; then somebody answers, and the tablet is started again."""
    refuse_records(tablet)
    tablet.one_person("avant la coupure")
    tablet.kill()
    newest = max(files_of_the_database(tablet).glob("*.log"))
    with newest.open("ab") as log:
        log.write(end)
    tablet.switch_on(*scripts)
    tablet.one_person("après la coupure")
    tablet.kill()
    tablet.switch_on(*scripts)


@pytest.mark.fault(12)
@pytest.mark.parametrize("end", ENDS)
def test_what_a_power_cut_leaves_at_the_end_of_the_log_harms_no_answer(tablet: OneTablet, end: str) -> None:
    two_lives_behind(ENDS[end], tablet)
    assert tablet.on_disk() == tablet.saved
    take_records(tablet)
    tablet.deliver()
    tablet.assert_all_arrived()


def test_behind_half_a_write_the_browser_throws_every_answer_away_unless_a_fresh_log_was_begun(
    tablet: OneTablet,
) -> None:
    """The control."""
    two_lives_behind(ENDS["half a write"], tablet, NO_FRESH_LOG)
    expect(tablet.page.locator("[data-notice=fault]")).to_have_text("mémoire en défaut, prévenez le référent")
    assert len(tablet.saved) == 2
    assert not tablet.on_disk()


def test_a_fresh_log_is_begun_once_in_each_life_of_the_browser(tablet: OneTablet) -> None:
    refuse_records(tablet)
    for _life in range(2):
        tablet.kill()
        tablet.switch_on(COUNT_LOGS)
        for comment in ("un", "deux"):
            tablet.one_person(comment)
        assert tablet.page.evaluate("sessionStorage.getItem('logs')") == "1"


@pytest.mark.fault(12)
def test_a_database_that_does_not_open_is_left_as_it_is_and_delivers_once_it_is_mended(
    tablet: OneTablet,
) -> None:
    refuse_records(tablet)
    tablet.one_person("en attente")
    tablet.switch_off()
    current = files_of_the_database(tablet) / "CURRENT"
    content = current.read_bytes()
    current.write_bytes(b"garbage\n")
    tablet.switch_on()
    expect_refusal(tablet.page, "damaged", "N’effacez rien et prévenez le référent qualité.")
    tablet.switch_off()
    current.write_bytes(content)
    take_records(tablet)
    tablet.switch_on()
    tablet.deliver()
    tablet.assert_all_arrived()


# 13: a key is missing, or a record does not open


@pytest.mark.fault(13)
def test_a_record_that_nobody_can_open_is_taken_with_its_receipt_and_read_when_the_key_is_back(
    tmp_path: Path,
) -> None:
    with tablet_site(tmp_path / "server") as site:
        sender = FakeTablet.enrolled(site)
        digest = sender.client.get("/tablette/bundle.json").get_json()["questionnaires"][0][
            "questionnaire_digest"
        ]
        with site.app.app_context():
            key = held().all()[-1]
            strange = type(held())(tmp_path / "elsewhere").make(datetime.now(UTC)).public()
        good = sender.envelope(questionnaire_digest=digest)
        sender.sealing_key = strange
        lost = sender.envelope(questionnaire_digest=digest)
        path = key.path.rename(key.path.with_suffix(".away"))
        lines = []
        for raw in (good, lost):
            receipt = sender.put(raw).get_json()
            assert sender.is_receipt_for(raw, receipt)
            lines.append(f"record {receipt['id']} {receipt['sha256']}")
        assert judged(site.app) == 0
        path.rename(key.path)
        assert judged(site.app) == 1
        assert not look_into(tmp_path / "server" / "survey.db", lines).is_bad


def judged(app: Flask) -> int:
    with app.app_context():
        judge_waiting(now=datetime.now(UTC) + timedelta(days=1))
        return len(db.session.scalars(sa.select(Response)).all())


# 14: a year in a cupboard


@pytest.mark.fault(14)
def test_after_a_year_without_battery_everything_arrives(tablet: OneTablet) -> None:
    refuse_records(tablet)
    tablet.one_person("il y a un an")
    begin(tablet.page)
    tablet.page.locator("label.option:visible").first.click()
    wait_for_draft(tablet.page)
    begun = tablet.on_disk() - tablet.saved
    tablet.kill()
    take_records(tablet)
    in_a_year = (datetime.now(UTC) + timedelta(days=366)).timestamp() * 1_000
    tablet.switch_on(
        f"const now = Date.now, was = now(); Date.now = () => now.call(Date) - was + {in_a_year};"
    )
    assert tablet.page.evaluate("Date.now()") >= in_a_year
    tablet.deliver()
    tablet.assert_all_arrived(beside=begun)
    assert [body.complete for body in tablet.site.bodies()] == [True, False]
    tablet.one_person("aujourd’hui")
    tablet.deliver()
    tablet.assert_all_arrived(beside=begun)
