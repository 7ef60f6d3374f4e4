"""Who may use which route: the table in routes.txt is the rule, and every cell of it is tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import AnyConverter, BaseConverter
from werkzeug.test import TestResponse

from survey_app import access
from survey_app.access import PUBLIC, ROLES, AccessError, Rule, staff_rule
from tests.survey_app.staff_site import StaffSite

TABLE = Path(__file__).with_name("routes.txt")
PLACEHOLDERS = {
    "BoundedInteger": 1,
    "Path": "nothing.css",
    "UUID": UUID(int=1),
    "Unicode": "x",
}
SIGNING_OUT = "/gestion/deconnexion"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> StaffSite:
    return StaffSite(tmp_path_factory.mktemp("site"))


def table_of(app: Flask) -> list[str]:
    """One line per address: methods, address, who."""
    routes = [
        (route.rule, ",".join(sorted((route.methods or set()) - {"HEAD", "OPTIONS"})), route.endpoint)
        for route in app.url_map.iter_rules()
    ]
    return [
        f"{methods:8} {address:77} {access.rule_of(app, endpoint)}"
        for address, methods, endpoint in sorted(routes)
    ]


@pytest.mark.abuse("AC-50")
def test_the_routes_and_their_rules_are_those_of_the_reviewed_table(site: StaffSite) -> None:
    """A new or changed route changes routes.txt, and the change is read by somebody."""
    assert table_of(site.app) == TABLE.read_text("utf-8").splitlines()


def addresses(app: Flask) -> Iterator[tuple[str, str, Rule]]:
    """Every (method, concrete address, rule), with made-up values for the variable parts."""
    with app.test_request_context():
        for route in app.url_map.iter_rules():
            values = {name: _placeholder(converter) for name, converter in route._converters.items()}
            built = app.url_map.bind("localhost").build(route.endpoint, values, force_external=False)
            rule = access.rule_of(app, route.endpoint)
            assert rule is not None
            for method in (route.methods or set()) - {"OPTIONS"}:
                yield method, built, rule


def _placeholder(converter: BaseConverter) -> object:
    if isinstance(converter, AnyConverter):
        return max(converter.items)
    return PLACEHOLDERS[type(converter).__name__.removesuffix("Converter")]


def opens_sign_in(answer: TestResponse) -> bool:
    return answer.status_code == 302 and answer.headers["Location"].startswith("/gestion/connexion")


@pytest.mark.abuse("AC-50")
@pytest.mark.parametrize("role", ROLES)
def test_each_role_passes_where_the_table_says_and_nowhere_else(site: StaffSite, role: str) -> None:
    """An unsafe request without its form token gets 400 once the rule has let it pass: nothing is changed."""
    client = site.client(role)
    for method, address, rule in addresses(site.app):
        if rule.kind != "staff":
            continue
        answer = client.open(address, method=method)
        refused = answer.status_code == 403
        assert refused is not rule.admits(role), f"{role} {method} {address}: {answer.status}"
        if not refused and method == "POST":
            assert answer.status_code == 400, f"{role} {method} {address}: {answer.status} without a token"


@pytest.mark.abuse("AC-50")
def test_nobody_signed_in_is_sent_to_the_sign_in_page_or_refused(site: StaffSite) -> None:
    client = site.client(None)
    for method, address, rule in addresses(site.app):
        answer = client.open(address, method=method)
        if rule.kind == "staff" and method in ("GET", "HEAD"):
            assert opens_sign_in(answer), f"{method} {address}: {answer.status}"
        elif rule.kind == "staff" or (rule.kind == "device" and method != "HEAD"):
            assert answer.status_code == 401, f"{method} {address}: {answer.status}"
        else:
            assert address == SIGNING_OUT or not opens_sign_in(answer), f"{method} {address}"


@pytest.mark.abuse("AC-78")
def test_no_route_answers_a_method_it_does_not_declare(site: StaffSite) -> None:
    client = site.client()
    declared: dict[str, set[str]] = {}
    for method, address, _rule in addresses(site.app):
        declared.setdefault(address, set()).add(method)
    for address, methods in declared.items():
        for method in {"PUT", "PATCH", "DELETE", "TRACE", "POST"} - methods:
            assert client.open(address, method=method).status_code == 405, f"{method} {address}"


def test_an_undeclared_route_stops_the_start() -> None:
    app = Flask("undeclared")
    access.declare(app, "static", PUBLIC)
    access.check_every_route_declared(app)
    app.add_url_rule("/forgotten", "forgotten", lambda: "")
    with pytest.raises(AccessError, match=r"/forgotten \(forgotten\)"):
        access.check_every_route_declared(app)


def test_an_undeclared_route_added_later_is_closed(tmp_path: Path) -> None:
    site = StaffSite(tmp_path)
    site.app.add_url_rule("/forgotten", "forgotten", lambda: "open")
    assert site.client().get("/forgotten").status_code == 403


def test_a_rule_cannot_name_an_unknown_role() -> None:
    with pytest.raises(AccessError, match="referant"):
        staff_rule("referant")


def test_the_referent_may_use_every_staff_route() -> None:
    assert staff_rule().admits("referent")
    assert not staff_rule("reader").admits("technician")
    assert not staff_rule("reader").admits(None)
    assert PUBLIC.admits(None)
