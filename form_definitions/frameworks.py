"""A framework (référentiel): one edition, its modules, and the commitments that are publicly known."""

from __future__ import annotations

from functools import cached_property

from form_definitions.errors import Report
from form_definitions.model import FrozenModel
from form_definitions.reading import Name, Text, TrueOrFalse, WholeNumber
from form_definitions.structures import Key, ListOf, Record, RecordOf, take_name
from form_definitions.yaml_source import Node


class FrameworkCommitment(FrozenModel):
    """One engagement. ``number`` is the official one, None unless publicly known."""

    code: str
    number: str | None = None
    title: str
    service: str | None = None
    """Who answers for it, in words."""
    source: str
    to_check: bool = True
    """True until somebody compared the wording and the number with the official text."""


class FrameworkModule(FrozenModel):
    """One module and the services it concerns."""

    code: str
    number: int
    title: str
    services: tuple[str, ...] = ()
    source: str | None = None
    commitments: tuple[FrameworkCommitment, ...] = ()


class Framework(FrozenModel):
    """The content of one file of the folder ``frameworks``."""

    code: str
    title: str
    edition: str
    modules: tuple[FrameworkModule, ...]

    @cached_property
    def commitments(self) -> dict[str, tuple[FrameworkModule, FrameworkCommitment]]:
        """Every commitment under its code, with its module, in the order of the file."""
        return {
            commitment.code: (module, commitment)
            for module in self.modules
            for commitment in module.commitments
        }


_TEXT = Text()
_COMMITMENT = RecordOf(
    "un engagement",
    {
        "commitment": Key(Name(), "code, le même d’une édition à l’autre", required=True),
        "number": Key(Text(or_null=True), "numéro officiel, s’il est connu"),
        "title": Key(_TEXT, "libellé", required=True),
        "service": Key(_TEXT, "service responsable"),
        "source": Key(_TEXT, "où le libellé et le numéro ont été vus", required=True),
        "to_check": Key(TrueOrFalse(), "true : à vérifier sur le texte officiel"),
    },
)
_MODULE = RecordOf(
    "un module",
    {
        "module": Key(Name(), "code du module", required=True),
        "number": Key(WholeNumber(1, 99), "numéro du module", required=True),
        "title": Key(_TEXT, "titre", required=True),
        "services": Key(ListOf(_TEXT, minimum=0), "services concernés"),
        "source": Key(_TEXT, "où ce module a été vu"),
        "commitments": Key(ListOf(_COMMITMENT, minimum=0), "engagements", required=True),
    },
)
FRAMEWORK = RecordOf(
    "un référentiel",
    {
        "framework": Key(Name(), "code du référentiel, celui du fichier", required=True),
        "title": Key(_TEXT, "titre", required=True),
        "edition": Key(_TEXT, "édition", required=True),
        "modules": Key(ListOf(_MODULE), "modules", required=True),
    },
)


def read_framework(node: Node, report: Report) -> Framework | None:
    """The framework, or None with the reasons in the report."""
    record = FRAMEWORK.read(node, report)
    if not isinstance(record, Record):
        return None
    lines: dict[str, int] = {}
    modules = [_module(module, lines, report) for module in record.get("modules", ())]
    if report.has_errors:
        return None
    return Framework(
        code=record.get("framework"),
        title=record.get("title"),
        edition=record.get("edition"),
        modules=tuple(FrameworkModule.model_validate(module) for module in modules),
    )


def _module(record: Record, lines: dict[str, int], report: Report) -> dict[str, object]:
    take_name(record, "module", lines, report)
    commitments = record.get("commitments", ())
    for commitment in commitments:
        take_name(commitment, "commitment", lines, report)
    return {
        **{key: value for key, value in record.values.items() if key != "module"},
        "code": record.get("module"),
        "commitments": tuple(_renamed(commitment) for commitment in commitments),
    }


def _renamed(record: Record) -> dict[str, object]:
    return {"code" if key == "commitment" else key: value for key, value in record.values.items()}
