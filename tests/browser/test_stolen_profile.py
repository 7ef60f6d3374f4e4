"""A tablet that is taken shows no answer: a copy of its browser's profile is searched.

One interview waits without a network and another is under way when the copy is made. The search has its
control: an answer in clear and a private key that "cannot be extracted" are found.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Page, Playwright

from survey_app.responses.envelope import Envelope, encode_body, open_body, read_envelope, write_envelope
from survey_app.responses.record_keys import held
from tests.browser.enrolled_tablet import EnrolledTablet
from tests.browser.tablet_browser import (
    begin,
    interview,
    next_person,
    outbox,
    tablet_browser,
    to_last_screen,
)

pytestmark = pytest.mark.browser

FINISHED = "Réponse rangée : l’écureuil"
UNDER_WAY = "Réponse en cours : le hérisson"
PLANTED = "Réponse en clair : la belette"
SCALAR, DISTINCT = 32, 20
"""A private key of P-256 is 32 bytes; a drawn one has never fewer than 20 different among them."""
WRITTEN_BY_PAGES = ("IndexedDB", "Local Storage", "Session Storage", "File System", "WebStorage")

DUMP = """async () => {
  const told = (value) => JSON.stringify(value, (_name, part) =>
    part instanceof CryptoKey ? { cryptoKey: part.type, usages: part.usages } : part);
  const wait = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const found = [told({ ...localStorage }), told({ ...sessionStorage })];
  for (const { name } of await indexedDB.databases()) {
    const database = await wait(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const all = () => database.transaction(store).objectStore(store);
      found.push(store, told(await wait(all().getAllKeys())), told(await wait(all().getAll())));
    }
    database.close();
  }
  return found.join('\\n');
}"""

WRITE_IN_CLEAR = """async (envelope) => {
  const opening = indexedDB.open('tablet');
  await new Promise((resolve) => { opening.onsuccess = resolve; });
  const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']);
  const point = await crypto.subtle.exportKey('raw', pair.publicKey);
  const writing = opening.result.transaction(['records', 'facts'], 'readwrite', { durability: 'strict' });
  const { id, revision } = JSON.parse(envelope);
  writing.objectStore('records').put({ id, revision, envelope, state: 'queued', seq: 99 });
  writing.objectStore('facts').put(pair.privateKey, 'private key');
  await new Promise((resolve) => { writing.oncomplete = resolve; });
  opening.result.close();
  return [...new Uint8Array(point)];
}"""


def forms_of(text: str) -> Iterator[bytes]:
    """The ways in which a browser may have written a text down."""
    for encoding in ("utf-8", "utf-16-le", "latin-1"):
        yield text.encode(encoding, "replace")
    escaped = json.dumps(text)[1:-1]
    for raw in (text.encode(), escaped.encode()):
        yield raw
        yield raw.hex().encode()
        for skipped in range(3):  # the start of a text may fall anywhere in a group of three bytes
            inner = base64.urlsafe_b64encode(b"\0" * skipped + raw)[4:-4]
            yield inner
            yield inner.translate(bytes.maketrans(b"-_", b"+/"))


def files_that_hold(profile: Path, text: str) -> list[str]:
    """The files of a profile in which this text is found."""
    forms = {form for whole in (text, text.partition(" : ")[2]) for form in forms_of(whole)}
    return sorted(
        str(path.relative_to(profile))
        for path in profile.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in forms)
    )


def private_keys_of(profile: Path, points: set[bytes]) -> list[str]:
    """The files that hold the private half of one of these public points, as 32 bytes at any place."""
    found = []
    for path in profile.rglob("*"):
        if path.is_file() and any(part in WRITTEN_BY_PAGES for part in path.parts):
            content = path.read_bytes()
            windows = {content[at : at + SCALAR] for at in range(len(content) - SCALAR + 1)}
            if any(_is_private_half(window, points) for window in windows):
                found.append(path.name)
    return found


def _is_private_half(window: bytes, points: set[bytes]) -> bool:
    if len(set(window)) < DISTINCT:
        return False
    try:
        key = ec.derive_private_key(int.from_bytes(window, "big"), ec.SECP256R1())
    except ValueError:
        return False
    public = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return public in points


def copied(profile: Path, to: Path) -> Path:
    """The profile as it is on the disk now; sockets and locks of the running browser are left out."""
    shutil.copytree(profile, to, ignore=shutil.ignore_patterns("Singleton*", "lockfile"))
    return to


def dumped(playwright: Playwright, profile: Path, address: str) -> str:
    """All that a page of this address can read in the profile, decompressed by the browser itself."""
    parts = urlsplit(address)
    blank = f"{parts.scheme}://{parts.netloc}/empty"
    with tablet_browser(playwright, profile) as page:
        page.context.route(
            "**/*", lambda route: route.fulfill(body="<title>empty</title>", content_type="text/html")
        )
        page.goto(blank)
        return str(page.evaluate(DUMP))


@dataclass
class Theft:
    """What was copied, from a tablet with one interview waiting and another under way."""

    tablet: EnrolledTablet
    folder: Path

    @property
    def page(self) -> Page:
        return self.tablet.page

    def copy(self, name: str) -> Path:
        return copied(self.tablet.profile, self.folder / name)

    def dump(self, copy: Path) -> str:
        return dumped(self.tablet.playwright, copy, self.tablet.address)


@pytest.fixture
def theft(enrolled_tablet: EnrolledTablet, tmp_path: Path) -> Theft:
    """An enrolled tablet without a network, in the middle of its second interview."""
    enrolled_tablet.disconnect()
    page = enrolled_tablet.page
    interview(page, FINISHED)
    next_person(page)
    begin(page)
    to_last_screen(page, UNDER_WAY)
    return Theft(enrolled_tablet, tmp_path)


def envelopes_in(records: list[dict[str, Any]]) -> list[Envelope]:
    return [read_envelope(record["envelope"].encode()) for record in records]


@pytest.mark.fault(51)
def test_a_copied_profile_shows_no_answer_and_no_key_that_opens_one(theft: Theft) -> None:
    waiting = envelopes_in(outbox(theft.page))
    with theft.tablet.site.app.app_context():
        opened = [open_body(envelope, held()).answers for envelope in waiting]
        server_point = held().current().point
    assert FINISHED in [answers.get("comment") for answers in opened], "nothing was there to be found"
    sealed_with = {base64.urlsafe_b64decode(envelope.body + "==")[:65] for envelope in waiting}
    running = theft.copy("running")
    theft.tablet.switch_off()
    switched_off = theft.copy("switched off")
    for copy in (running, switched_off):
        assert files_that_hold(copy, FINISHED) == []
        assert files_that_hold(copy, UNDER_WAY) == []
        assert private_keys_of(copy, {server_point, *sealed_with}) == []
    dump = theft.dump(running)
    assert waiting[0].id in dump, "the dump does not show the records"
    for text in (FINISHED, UNDER_WAY):
        assert not any(form.decode("latin-1") in dump for form in forms_of(text))
    assert '"cryptoKey":"private"' not in dump
    assert '"decrypt"' not in dump
    assert '"deriveBits"' not in dump


def test_the_search_finds_an_answer_in_clear_and_a_private_key_where_they_are(theft: Theft) -> None:
    body = {"answers": {"comment": PLANTED}, "complete": True}
    (sealed,) = envelopes_in(outbox(theft.page))[:1]
    frame = {**vars(sealed), "id": "00000000-0000-4000-8000-0000000000cc", "suite": "none", "key_id": None}
    plain = write_envelope(Envelope(**{**frame, "body": encode_body(body)}))
    point = bytes(theft.page.evaluate(WRITE_IN_CLEAR, plain.decode()))
    copy = theft.copy("copy")
    assert files_that_hold(copy, PLANTED) != []
    assert private_keys_of(copy, {point}) != []
    dump = theft.dump(copy)
    assert any(form.decode("latin-1") in dump for form in forms_of(PLANTED))
    assert '"cryptoKey":"private"' in dump
