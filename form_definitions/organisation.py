"""Who asks: names, sites, services, contact, data-protection notice. One file to replace elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal, get_args

from pydantic import Field

from form_definitions.errors import Report
from form_definitions.languages import LANGUAGES, SOURCE_LANGUAGE
from form_definitions.model import FrozenModel
from form_definitions.reading import Name, OneOf, Text, WholeNumber
from form_definitions.structures import Key, ListOf, Record, RecordOf, take_name
from form_definitions.yaml_source import Node

SiteKind = Literal["desk", "remote"]


class Site(FrozenModel):
    """Where people meet the services. ``remote`` is the site of those who phone, write or use the website."""

    code: str
    kind: SiteKind
    name: str
    """In results."""
    public_label: str
    """As an answer to « Où avez-vous été reçu ? »."""


class Service(FrozenModel):
    """A service of the prefecture, under the code that the framework uses."""

    code: str
    name: str
    modules: tuple[int, ...] = ()


class Arrondissement(FrozenModel):
    """A part of the department, under its INSEE code."""

    code: str
    name: str


class Contact(FrozenModel):
    """What is shown to the public; None is not shown."""

    email: str | None = None
    phone: str | None = None
    postal_address: str | None = None
    verification_page: str | None = None
    """On the organisation's own website: there whoever got a mail reads that it is genuine."""


class Director(FrozenModel):
    """Who signs what is sent to elected officials; None is still to be filled in."""

    name: str | None = None
    title: str | None = None
    phone: str | None = None


class NoticeParagraph(FrozenModel):
    """One paragraph of the data-protection notice."""

    title: str
    text: str


class Privacy(FrozenModel):
    """Who is responsible for the answers, and what the public is told about them."""

    controller: str
    data_protection_officer: str | None = None
    legal_basis: str
    short_notice: str
    notice: tuple[NoticeParagraph, ...]


class Organisation(FrozenModel):
    """The content of organisation.yaml."""

    name: str
    short_name: str
    department: str | None = None
    department_code: str | None = None
    """INSEE code: lists of officials are read for this department alone."""
    arrondissements: tuple[Arrondissement, ...] = ()
    website: str | None = None
    sites: tuple[Site, ...]
    services: tuple[Service, ...] = ()
    contact: Contact = Contact()
    director: Director = Director()
    privacy: Privacy
    reviewers: Mapping[str, str | None] = Field(default_factory=dict)
    """Language → who has read the translations again; None: « à relire »."""

    @cached_property
    def sites_by_code(self) -> dict[str, Site]:
        """The sites under their codes."""
        return {site.code: site for site in self.sites}

    def site_name(self, code: str | None) -> str:
        """The name of a site in results, or its code if the organisation no longer has it."""
        site = self.sites_by_code.get(code or "")
        return site.name if site else (code or "")

    def public_texts(self) -> Iterator[str]:
        """The French texts that respondents see, and that translations cover."""
        yield self.name
        yield from (site.public_label for site in self.sites)
        yield from (self.privacy.legal_basis, self.privacy.short_notice)
        for paragraph in self.privacy.notice:
            yield from (paragraph.title, paragraph.text)


_TEXT, _OR_NULL = Text(), Text(or_null=True)

_SITE = RecordOf(
    "un site",
    {
        "site": Key(Name(), "code du site", required=True),
        "kind": Key(OneOf(get_args(SiteKind)), "desk : sur place ; remote : à distance", required=True),
        "name": Key(_TEXT, "nom dans les résultats", required=True),
        "public_label": Key(_TEXT, "réponse proposée à l’usager", required=True),
    },
)
_SERVICE = RecordOf(
    "un service",
    {
        "service": Key(_TEXT, "sigle du service", required=True),
        "name": Key(_TEXT, "nom en toutes lettres", required=True),
        "modules": Key(ListOf(WholeNumber(1, 99), minimum=0), "modules du référentiel qui le concernent"),
    },
)
_ARRONDISSEMENT = RecordOf(
    "un arrondissement",
    {
        "arrondissement": Key(_TEXT, "code INSEE de l’arrondissement", required=True),
        "name": Key(_TEXT, "nom", required=True),
    },
)
_CONTACT = RecordOf(
    "les coordonnées",
    {
        "email": Key(_OR_NULL, "adresse électronique publique"),
        "phone": Key(_OR_NULL, "téléphone public"),
        "postal_address": Key(_OR_NULL, "adresse postale"),
        "verification_page": Key(_OR_NULL, "page de votre site qui annonce les courriels de l’enquête"),
    },
)
_DIRECTOR = RecordOf(
    "la personne qui signe",
    {
        "name": Key(_OR_NULL, "prénom et nom"),
        "title": Key(_OR_NULL, "fonction, comme elle signe"),
        "phone": Key(_OR_NULL, "téléphone où les élus vérifient"),
    },
)
_PARAGRAPH = RecordOf(
    "un paragraphe de la notice",
    {"title": Key(_TEXT, "titre", required=True), "text": Key(_TEXT, "texte", required=True)},
)
_PRIVACY = RecordOf(
    "la notice sur les données",
    {
        "controller": Key(_TEXT, "responsable du traitement", required=True),
        "data_protection_officer": Key(_OR_NULL, "délégué à la protection des données"),
        "legal_basis": Key(_TEXT, "base légale", required=True),
        "short_notice": Key(_TEXT, "une phrase, avec la première question", required=True),
        "notice": Key(ListOf(_PARAGRAPH), "la notice entière", required=True),
    },
)
_REVIEWERS = RecordOf(
    "la liste des relecteurs",
    {
        code: Key(_OR_NULL, f"qui a relu\u00a0: {language.own_name}")
        for code, language in LANGUAGES.items()
        if code != SOURCE_LANGUAGE
    },
)
ORGANISATION = RecordOf(
    "l’organisation",
    {
        "name": Key(_TEXT, "nom", required=True),
        "short_name": Key(_TEXT, "nom court", required=True),
        "department": Key(_OR_NULL, "département"),
        "department_code": Key(_OR_NULL, "code INSEE du département"),
        "arrondissements": Key(ListOf(_ARRONDISSEMENT, minimum=0), "arrondissements du département"),
        "website": Key(_OR_NULL, "site internet"),
        "sites": Key(ListOf(_SITE), "sites", required=True),
        "services": Key(ListOf(_SERVICE, minimum=0), "services"),
        "contact": Key(_CONTACT, "coordonnées montrées au public"),
        "director": Key(_DIRECTOR, "personne qui signe les envois aux élus"),
        "privacy": Key(_PRIVACY, "notice sur les données", required=True),
        "reviewers": Key(_REVIEWERS, "personne qui a relu chaque langue"),
    },
)


def read_organisation(node: Node, report: Report) -> Organisation | None:
    """The organisation, or None with the reasons in the report."""
    record = ORGANISATION.read(node, report)
    if not isinstance(record, Record):
        return None
    lines: dict[str, int] = {}
    for site in record.get("sites", ()):
        take_name(site, "site", lines, report)
    for part in ("contact", "director", "privacy", "reviewers"):
        _report_what_is_to_fill(record.get(part), report)
    if report.has_errors:
        return None
    return Organisation.model_validate(_plain(record))


def _report_what_is_to_fill(record: Record | None, report: Report) -> None:
    for key, value in record.values.items() if record else ():
        node = record.where(key) if record else None
        if value is None and node:
            report.add("to_fill", node.line, node.column, key=key)


def _plain(value: object) -> object:
    """Records as the mappings that the models take; the key that names a thing becomes its ``code``."""
    if isinstance(value, Record):
        return {
            "code" if key in ("site", "service", "arrondissement") else key: _plain(member)
            for key, member in value.values.items()
        }
    if isinstance(value, tuple):
        return tuple(_plain(member) for member in value)
    return value
