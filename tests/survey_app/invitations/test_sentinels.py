"""Words that must be nowhere on the disk: links, addresses, browsers and answers, in every writing."""

from __future__ import annotations

import base64
import gzip
import ipaddress
import json
import logging
import logging.handlers
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from survey_app.database import db
from tests.survey_app.invitations.link_site import LinkSite

V4, V6 = "203.0.113.197", "2001:db8:51ce:77f0::b00c"
BROWSER = "Mozilla/5.0 (Sentinelle-du-navigateur-8417)"
SAID = "Un texte libre que seule la mairie de Trifouilly écrit"
PLANTED = "Une phrase que le contrôle doit retrouver partout"


def writings(word: str) -> Iterator[bytes]:
    """The nine writings in which somebody may keep a word, and an address also as its bytes."""
    plain = word.encode()
    yield from (
        plain,
        word.encode("utf-16-le"),
        quote(word, safe="").encode(),
        json.dumps(word)[1:-1].encode(),
    )
    yield from (plain.hex().encode(), plain.hex().upper().encode())
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + plain)
        yield whole[4 if shift else 0 : len(whole) // 4 * 4 - 4]
    if re.fullmatch(r"[0-9a-f.:]+", word):
        yield ipaddress.ip_address(word).packed


def unpacked(content: bytes) -> Iterator[bytes]:
    """The bytes, and whatever lies compressed in them."""
    yield content
    for found in re.finditer(rb"\x1f\x8b\x08", content):
        reader = zlib.decompressobj(wbits=31)
        try:
            yield reader.decompress(content[found.start() :], 2**24)
        except zlib.error:
            continue


def kept(word: str, places: dict[str, bytes]) -> set[str]:
    """Where the word is to be read, whatever its writing."""
    forms = set(writings(word))
    return {
        place
        for place, content in places.items()
        if any(form in part for part in unpacked(content) for form in forms)
    }


def on_disk(folder: Path) -> dict[str, bytes]:
    """Every file under the folder: database, its log, keys, backups, what was written of faults."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class FromOneAddress(FlaskClient):
    """Sends everything from one address with one browser, as a server without a proxy sees it."""

    address = V4

    def open(self, *args: object, **options: object) -> object:  # type: ignore[override]
        options.setdefault("environ_base", {"REMOTE_ADDR": self.address, "HTTP_USER_AGENT": BROWSER})
        return super().open(*args, **options)  # type: ignore[arg-type]


class FromTheOther(FromOneAddress):
    """The same over IPv6."""

    address = V6


def a_trip(site: LinkSite) -> list[str]:
    """Somebody begins, saves, goes on and answers; passes on, refuses and errs; the secrets they used."""
    secrets = [text for place in range(4) for text in (site.token(place), site.code(place))]
    site.official(0).start().send("save").follow()
    site.official(0).start().answer_all(comment=SAID)
    site.official(1).press("transmettre").sure()
    site.official(2).press("refuser").sure()
    site.official(3).press("erreur").sure()
    client = site.app.test_client()
    for address in ("/r/jamais-vu", "/r/confidentialite", "/r/questionnaire/fr", "/nulle-part", "/gestion/"):
        client.get(address)
        client.post(address)
    return secrets


@pytest.mark.abuse("AC-14")
@pytest.mark.abuse("AC-28")
@pytest.mark.parametrize("client", [FromOneAddress, FromTheOther], ids=["IPv4", "IPv6"])
def test_neither_link_nor_address_nor_browser_nor_answer_is_on_the_disk_or_in_a_log(
    tmp_path: Path, client: type[FromOneAddress]
) -> None:
    site = LinkSite(tmp_path)
    site.app.test_client_class = client
    site.app.extensions["survey_rate_limits"].enabled = True  # the limit knows addresses: in memory alone
    log = logging.FileHandler(tmp_path / "everything.log")
    logging.getLogger().addHandler(log)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        secrets = a_trip(site)
        logging.getLogger("survey_app").warning(PLANTED)
    finally:
        logging.getLogger().setLevel(level)
        logging.getLogger().removeHandler(log)
        log.close()
    with site.app.app_context():
        db.session.remove()
        places = on_disk(tmp_path)
    assert any(name.endswith(".db") for name in places)
    assert kept(PLANTED, places) == {"everything.log"}  # control: the log is searched
    assert kept("Commune", places) - {"everything.log"}  # control: the database is searched
    for word in (*secrets, V4, V6, BROWSER, SAID):
        assert kept(word, places) == set(), word


@pytest.mark.parametrize("word", [V4, V6, PLANTED])
def test_a_word_is_found_in_each_of_its_writings(word: str) -> None:
    """Control: the search has teeth."""
    for form in writings(word):
        for content in (form, gzip.compress(b"before " + form)):
            assert kept(word, {"somewhere": b"\x00before" + content + b"after"}), form
    for shift in range(3):
        coded = base64.b64encode(b"xyz"[:shift] + word.encode() + b" and after")
        assert kept(word, {"somewhere": coded}), shift
    assert kept(word, {"somewhere": b"nothing of it"}) == set()
