"""What protects every response, and which requests are refused before any view sees them."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from flask import Flask, abort, request
from sqlalchemy import event, text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.test import TestResponse

from survey_app import access, health, rate_limits, security
from survey_app.background import started_in
from survey_app.database import DatabaseUnavailable, db
from survey_app.responses.bursts import network_of
from survey_app.responses.worker import Judge
from tests.page_checks import assert_good_page
from tests.survey_app import records
from tests.survey_app.staff_site import StaffSite

SENTINEL = "the answer of a visitor"
READ_ONLY = "PRAGMA query_only = ON"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> StaffSite:
    made = StaffSite(tmp_path_factory.mktemp("site"), answer_size_limit=1000)
    add_probes(made.app)
    return made


def read_only() -> str:
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        try:
            insert = text("INSERT INTO server_fact (key, value) VALUES ('once', :value)")
            connection.execute(insert, {"value": SENTINEL})
        finally:
            connection.exec_driver_sql("PRAGMA query_only = OFF")
    return ""


def wrong() -> str:
    db.session.execute(text("SELECT no_such_column FROM server_fact"))
    return ""


def add_probes(app: Flask) -> None:
    """Routes that fail in every way, as any real one might."""

    def fail(code: int, language: str = "") -> str:
        abort(code)

    def crash() -> str:
        raise RuntimeError(SENTINEL)

    def no_disk() -> str:
        raise DatabaseUnavailable("disk full")

    def no_connection() -> str:
        raise PoolTimeout("QueuePool limit of size 5 reached")

    def broken_statement() -> str:
        statement = text("INSERT INTO server_fact (key, value) VALUES (:key, :value)")
        values = {"key": "twice", "value": SENTINEL}
        db.session.execute(statement, [values, values])
        return ""

    def take() -> str:
        return str(len(request.get_data()))

    for path, view, methods in (
        ("/probe/<int:code>", fail, ["GET"]),
        ("/probe/<language>/<int:code>", fail, ["GET"]),
        ("/api/probe/<int:code>", fail, ["GET"]),
        ("/probe/crash", crash, ["GET"]),
        ("/probe/full", no_disk, ["GET"]),
        ("/probe/busy", no_connection, ["GET"]),
        ("/api/probe/busy", no_connection, ["GET"]),
        ("/api/probe/full", no_disk, ["GET"]),
        ("/probe/wrong", wrong, ["GET"]),
        ("/probe/read-only", read_only, ["GET"]),
        ("/api/probe/read-only", read_only, ["GET"]),
        ("/probe/statement", broken_statement, ["GET"]),
        ("/probe/take", take, ["POST"]),
    ):
        app.add_url_rule(path, path, access.public(view), methods=methods)
    # A test client re-raises what nobody caught; a server answers.
    app.config["PROPAGATE_EXCEPTIONS"] = False


PATHS = [
    "/gestion/connexion",
    "/healthz",
    "/nowhere",
    "/probe/400",
    "/probe/crash",
    "/probe/full",
    "/api/probe/404",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.abuse("AC-55")
def test_every_response_carries_the_protections_errors_included(site: StaffSite, path: str) -> None:
    headers = site.app.test_client().get(path).headers
    for name, value in security.HEADERS.items():
        assert headers[name] == value


def test_the_policy_allows_no_inline_code_and_no_other_host() -> None:
    policy = dict(part.split(" ", 1) for part in security.CONTENT_SECURITY_POLICY.split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in security.CONTENT_SECURITY_POLICY
    assert "http" not in security.CONTENT_SECURITY_POLICY


def test_transport_security_is_announced_over_tls_only(site: StaffSite) -> None:
    client = site.client(None)
    plain = client.get("/healthz", base_url="http://localhost")
    assert "Strict-Transport-Security" not in plain.headers
    assert "max-age=31536000" in client.get("/healthz").headers["Strict-Transport-Security"]


@pytest.mark.parametrize("code", [400, 403, 404, 405, 413, 422, 429, 500, 503])
def test_each_error_has_a_page_that_says_what_to_do(site: StaffSite, code: int) -> None:
    answer = site.app.test_client().get(f"/probe/{code}")
    assert answer.status_code == code
    assert answer.mimetype == "text/html"
    assert "<h1>" in answer.text
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("address", "asked", "language", "title"),
    [
        ("/probe/ar/503", "en", "ar", "الخدمة غير متاحة حاليًا"),
        ("/probe/xx/429", "en", "en", "Too many attempts"),
        ("/nowhere", "ar-DZ,ar;q=0.9,fr;q=0.5", "ar", "الصفحة غير موجودة"),
        ("/nowhere", "de", "fr", "Page introuvable"),
        ("/gestion/nowhere", "ar", "fr", "Page introuvable"),
    ],
)
def test_an_error_speaks_the_language_of_the_page_that_failed_or_of_the_browser(
    site: StaffSite, address: str, asked: str, language: str, title: str
) -> None:
    html = site.app.test_client().get(address, headers={"Accept-Language": asked}).text
    assert title in html
    assert_good_page(html, language=language)
    home = "/gestion/" if "gestion" in address else f"/?lang={language}"
    assert f'class="button" href="{home}"' in html


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413, 429, 500, 503])
def test_programs_get_json_instead_of_a_page(site: StaffSite, code: int) -> None:
    answer = site.app.test_client().get(f"/api/probe/{code}")
    assert answer.status_code == code
    assert answer.get_json()["error"] == code


@pytest.mark.abuse("AC-91")
def test_a_crash_shows_a_reference_and_nothing_of_the_fault(site: StaffSite) -> None:
    answer = site.app.test_client().get("/probe/crash")
    assert answer.status_code == 500
    assert "Référence à communiquer" in answer.text
    assert "visitor" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["/probe/crash", "/probe/statement"])
def test_a_fault_writes_no_answer_to_the_log(
    site: StaffSite, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert site.app.test_client().get(path).status_code == 500
    assert "in full_dispatch_request" in caplog.text
    assert SENTINEL not in caplog.text


@pytest.mark.parametrize("path", ["/probe/read-only", "/api/probe/read-only"])
def test_a_503_tells_the_log_where_and_what_the_driver_said_and_no_value(
    site: StaffSite, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert site.app.test_client().get(path).status_code == 503
    assert "DatabaseUnavailable" in caplog.text
    assert "OperationalError (SQLITE_READONLY)" in caplog.text
    assert "in read_only" in caplog.text
    assert SENTINEL not in caplog.text


def test_a_fault_in_our_own_sql_is_not_told_as_an_outage(site: StaffSite) -> None:
    assert site.app.test_client().get("/probe/wrong").status_code == 500


@pytest.mark.parametrize("path", ["/probe/busy", "/probe/full", "/api/probe/busy", "/api/probe/full"])
def test_a_database_without_room_or_connection_is_answered_by_503_everywhere(
    site: StaffSite, path: str
) -> None:
    response = site.app.test_client().get(path)
    assert (response.status_code, 30 <= int(response.headers["Retry-After"]) < 45) == (503, True)
    assert response.is_json == path.startswith("/api/")


def test_those_who_are_sent_away_at_once_are_not_called_back_at_once(site: StaffSite) -> None:
    client = site.app.test_client()
    seconds = Counter(client.get("/api/probe/503").headers["Retry-After"] for _ in range(300))
    assert max(seconds.values()) < 60


def test_a_full_disk_is_answered_by_503_and_when_to_come_back(site: StaffSite) -> None:
    answer = site.app.test_client().get("/probe/full")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def take(site: StaffSite, **headers: str) -> TestResponse:
    return site.app.test_client().post("/probe/take", data=b"x", headers=headers)


@pytest.mark.abuse("AC-54")
@pytest.mark.parametrize("place", ["cross-site", "same-site", "unheard-of"])
def test_a_foreign_page_cannot_send_a_form(site: StaffSite, place: str) -> None:
    assert take(site, **{"Sec-Fetch-Site": place}).status_code == 403


@pytest.mark.abuse("AC-54")
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://localhost:81", "http://localhost.evil.fr"]
)
def test_without_fetch_metadata_the_origin_decides(site: StaffSite, origin: str) -> None:
    assert take(site, Origin=origin).status_code == 403


def test_our_own_pages_and_programs_pass(site: StaffSite) -> None:
    assert take(site, **{"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert take(site, Origin="https://localhost").status_code == 200
    assert take(site, Origin="http://127.0.0.1:8000").status_code == 200
    assert take(site).status_code == 200


def test_a_request_with_our_cookie_must_say_where_it_comes_from(site: StaffSite) -> None:
    client = site.app.test_client()
    client.set_cookie("__Host-session", "stolen")
    assert client.post("/probe/take", data=b"x").status_code == 403


@pytest.mark.abuse("AC-98")
def test_a_large_body_is_refused_from_its_announced_length(site: StaffSite) -> None:
    class Unread:
        """A body that nobody may touch."""

        def read(self, size: int = -1) -> bytes:
            raise AssertionError("the body was read")

        readline = readlines = __iter__ = read

    announced = {"wsgi.input": Unread(), "CONTENT_LENGTH": "1001"}
    answer = site.app.test_client().post("/probe/take", environ_overrides=announced)
    assert answer.status_code == 413


def test_a_body_of_unknown_length_is_refused_instead_of_cut(site: StaffSite) -> None:
    client = site.app.test_client()
    assert client.post("/probe/take", data=b"x" * 1000).text == "1000"
    streamed = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    assert client.post("/probe/take", data=b"x", environ_overrides=streamed).status_code == 411


@pytest.mark.abuse("AC-66")
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", ""])
def test_a_foreign_host_name_is_refused(site: StaffSite, host: str) -> None:
    answer = site.app.test_client().get("/healthz", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.text


@pytest.mark.abuse("AC-102")
@pytest.mark.parametrize(
    "hops, forwarded, expected",
    [
        (0, "10.9.9.9", "127.0.0.1"),
        (1, "10.9.9.9, 10.1.1.1", "10.1.1.1"),
        (2, "6.6.6.6, 10.9.9.9, 10.1.1.1", "10.9.9.9"),
    ],
)
def test_only_our_own_proxies_are_believed(tmp_path: Path, hops: int, forwarded: str, expected: str) -> None:
    made = StaffSite(tmp_path, trusted_proxies=hops)
    made.app.add_url_rule("/who", "who", access.public(lambda: str(request.remote_addr)))
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Host": "evil.example"}
    assert made.app.test_client().get("/who", headers=headers).text == expected


@pytest.mark.abuse("AC-28")
def test_the_key_of_a_caller_says_nothing_about_the_address_and_changes_every_day() -> None:
    key = rate_limits.AddressKey()
    monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)
    first = key("192.0.2.7", monday)
    assert first == key("192.0.2.7", monday)
    assert first != key("192.0.2.8", monday)
    assert "192" not in first
    assert key("192.0.2.7", tuesday) != first
    assert rate_limits.AddressKey()("192.0.2.7", monday) != first


def test_one_household_on_ipv6_counts_as_one_caller() -> None:
    assert network_of("2001:db8:1:2::9") == network_of("2001:db8:1:2:ffff::1")
    assert network_of("2001:db8:1:3::9") != network_of("2001:db8:1:2::9")
    assert network_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert network_of(None) == "unknown"


def test_no_protection_is_said_twice(site: StaffSite) -> None:
    headers = site.client(None).get("/").headers
    assert [len(headers.getlist(name)) for name in security.HEADERS] == [1] * len(security.HEADERS)


def test_public_pages_set_no_cookie(site: StaffSite) -> None:
    for path in ("/healthz", "/nowhere"):
        assert "Set-Cookie" not in site.app.test_client().get(path).headers


def test_health_says_version_database_and_disk(site: StaffSite) -> None:
    answer = site.app.test_client().get("/healthz")
    assert answer.status_code == 200
    known = answer.get_json()
    assert known["version"]
    assert known["database"]["ok"] is True
    assert known["disk"]["free_bytes"] > 0


def test_health_says_whether_the_judge_lives_and_since_when_a_record_waits(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    client = site.app.test_client()
    assert client.get("/healthz").get_json()["intake"] == {"running": None, "waiting_since": None}
    with site.database():
        records.take(records.a_record())
    started_in(site.app)[Judge.name] = Judge(site.app)
    answer = client.get("/healthz")
    assert answer.get_json()["intake"] == {"running": False, "waiting_since": records.NOW.isoformat()}
    assert (answer.status_code, answer.get_json()["ok"]) == (503, False)


def test_health_is_bad_while_nothing_can_be_written(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    with site.database():
        event.listen(db.engine, "checkout", lambda connection, *_: connection.execute(READ_ONLY))
    answer = site.app.test_client().get("/healthz")
    known = answer.get_json()["database"]
    assert (answer.status_code, known["reads"], known["writes"], known["ok"]) == (503, True, False, False)


def test_health_asks_the_database_for_a_write_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def write_transaction_opens() -> bool:
        asked.append(1)
        return len(asked) != 2

    monkeypatch.setattr(health, "_write_transaction_opens", write_transaction_opens)
    now = [100.0]
    probe = health.WriteProbe(clock=lambda: now[0])
    found = []
    for now[0] in (100.0, 104.9, 105.0, 106.0, 110.0):
        found.append(probe.writes())
    assert found == [True, True, False, False, True]
    assert len(asked) == 3


def test_health_is_bad_when_the_disk_is_nearly_full(tmp_path: Path) -> None:
    site = StaffSite(tmp_path, minimum_free_bytes=2**60)
    answer = site.app.test_client().get("/healthz")
    assert answer.status_code == 503
    assert answer.get_json()["disk"]["ok"] is False
