"""YAML → Questionnaire: every fault at once, each with file:line:column and the remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from form_definitions.duration import report_duration
from form_definitions.errors import DefinitionError, Fault, Report, listed, nearest
from form_definitions.frameworks import Framework
from form_definitions.item_building import Surroundings, build_block, report_unknown_commitment
from form_definitions.language import QUESTIONNAIRE
from form_definitions.library import Library, folder_of, load_library, read_source, source_text
from form_definitions.model import Commitment, Questionnaire, Section
from form_definitions.reading import Record, take_name
from form_definitions.reused_codes import report_reused_codes
from form_definitions.scales import Scale, read_scale
from form_definitions.yaml_source import Node


@dataclass(frozen=True)
class CheckedSource:
    """What became of a source. ``questionnaire`` is None when a fault is an error."""

    questionnaire: Questionnaire | None
    faults: tuple[Fault, ...]


def load_questionnaire(
    path: Path | str,
    *,
    folder: Path | None = None,
    library: Library | None = None,
    published: Sequence[Questionnaire] = (),
) -> Questionnaire:
    """The questionnaire of a file.

    ``folder`` holds the scales, frameworks and organisation (by default those around the file); give
    ``library`` instead when it is read already. ``published`` are earlier versions, whose codes must keep
    their meaning. Raises DefinitionError with every fault; ``check_file`` tells mere warnings too.
    """
    checked = check_file(Path(path), folder=folder, library=library, published=published)
    if checked.questionnaire is None:
        raise DefinitionError(checked.faults)
    return checked.questionnaire


def check_file(
    path: Path,
    *,
    folder: Path | None = None,
    library: Library | None = None,
    published: Sequence[Questionnaire] = (),
) -> CheckedSource:
    """Like check_source, for a file."""
    text = source_text(path)
    if isinstance(text, Fault):
        return CheckedSource(None, (text,))
    folder = folder or folder_of(path)
    return check_source(text, name=str(path), folder=folder, library=library, published=published)


def check_source(
    text: str,
    *,
    name: str = "questionnaire.yaml",
    folder: Path | None = None,
    library: Library | None = None,
    published: Sequence[Questionnaire] = (),
) -> CheckedSource:
    """The questionnaire that a text describes, and every fault. Never raises on bad content."""
    known = library or load_library(folder)
    questionnaire, faults = read_source(
        text, name, lambda node, report: read_questionnaire(node, report, known, published)
    )
    broken = tuple(fault for fault in known.faults if fault.severity == "error")
    return CheckedSource(None if broken else questionnaire, broken + faults)


def read_questionnaire(
    root: Node, report: Report, library: Library, published: Sequence[Questionnaire] = ()
) -> Questionnaire | None:
    """The questionnaire of a YAML node, or None with the reasons in the report."""
    record = QUESTIONNAIRE.read(root, report)
    if not isinstance(record, Record):
        return None
    _check_sites(record, library, report)
    framework = _framework(record, library, report)
    around = Surroundings(
        report=report,
        scales=_scales(record, library, report),
        framework=framework,
        sites=record.get("sites", ()),
        modes=record.get("modes", ()),
        all_lines=dict(_item_lines(record)),
    )
    sections = _sections(record, around)
    commitments = _commitments(record, framework, report)
    if report.has_errors:
        return None
    questionnaire = _questionnaire(record, sections, commitments)
    report_reused_codes(questionnaire, published, dict(_places(record)), report)
    report_duration(questionnaire, record, report)
    return None if report.has_errors else questionnaire


def _questionnaire(
    record: Record, sections: tuple[Section, ...], commitments: tuple[Commitment, ...]
) -> Questionnaire:
    built = ("questionnaire", "sections", "scales", "commitments", "commitment_rules")
    values = {key: value for key, value in record.values.items() if key not in built}
    slug = record.values["questionnaire"]
    return Questionnaire(slug=slug, sections=sections, commitments=commitments, **values)


def _check_sites(record: Record, library: Library, report: Report) -> None:
    if library.organisation is None:
        return
    known = library.organisation.sites_by_code
    for position, site in enumerate(record.get("sites", ())):
        if site not in known:
            node = record.where_in("sites", position)
            report.add(
                "unknown_site", node.line, node.column, nearest(site, known), value=site, words=listed(known)
            )


def _framework(record: Record, library: Library, report: Report) -> Framework | None:
    code = record.get("framework")
    if code is None or code in library.frameworks:
        return library.frameworks.get(code) if code else None
    node, known = record.where("framework"), library.frameworks
    report.add(
        "unknown_framework", node.line, node.column, nearest(code, known), value=code, words=listed(known)
    )
    return None


def _scales(record: Record, library: Library, report: Report) -> Mapping[str, Scale]:
    scales = dict(library.scales)
    for name, (scale, node) in record.get("scales", {}).items():
        if name in scales:
            report.add("duplicate_scale", node.line, node.column, scale=name)
        scales[name] = read_scale(name, scale, report)
    return scales


def _item_lines(record: Record) -> Iterator[tuple[str, int]]:
    for part in _parts(record):
        if name := part.get("item") or part.get("note"):
            yield name, part.node.line


def _parts(record: Record) -> Iterator[Record]:
    """Every question, grid, row and note."""
    for section in record.get("sections", ()):
        for block in section.get("questions", ()):
            yield from (block, *block.get("rows", ()))


def _places(record: Record) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Where each item, and each option that is written under its item, has its code."""
    for part in _parts(record):
        for key in ("item", "note"):
            if name := part.get(key):
                yield (name,), part.where(key)
                options = part.get("options", ())
                yield from (((name, option.get("option")), option.where("option")) for option in options)


def _sections(record: Record, around: Surroundings) -> tuple[Section, ...]:
    lines: dict[str, int] = {}
    sections = [_section(section, lines, around) for section in record.get("sections", ())]
    return tuple(section for section in sections if section)


def _section(record: Record, lines: dict[str, int], around: Surroundings) -> Section | None:
    take_name(record, "section", lines, around.report)
    routing = around.routing_of(record)
    blocks = [build_block(block, around) for block in record.get("questions", ())]
    if around.report.has_errors:
        return None
    return Section(
        name=record.get("section"),
        title=record.get("title"),
        introduction=record.get("introduction"),
        blocks=tuple(block for block in blocks if block),
        **routing,
    )


def _commitments(record: Record, framework: Framework | None, report: Report) -> tuple[Commitment, ...]:
    """The commitments that items measure, in the order of the framework."""
    if framework is None:
        return ()
    measured = set(_measured(record))
    _warn_of_unmeasured(record, framework, measured, report)
    rules = {code: rule for code, (rule, _) in record.get("commitment_rules", {}).items()}
    return tuple(
        Commitment(
            code=code,
            title=commitment.title,
            number=commitment.number,
            module=f"Module {module.number} – {module.title}",
            service=commitment.service,
            rule=rules.get(code, "pooled"),
            source=commitment.source,
            to_check=commitment.to_check,
        )
        for code, (module, commitment) in framework.commitments.items()
        if code in measured
    )


def _measured(record: Record) -> Iterator[str]:
    for section in record.get("sections", ()):
        for block in section.get("questions", ()):
            for part in (block, *block.get("rows", ())):
                if commitment := part.get("commitment"):
                    yield commitment


def _warn_of_unmeasured(record: Record, framework: Framework, measured: set[str], report: Report) -> None:
    for code, node in _declared(record):
        if code not in framework.commitments:
            report_unknown_commitment(code, node, framework, report)
        elif code not in measured:
            report.add("commitment_not_measured", node.line, node.column, commitment=code)


def _declared(record: Record) -> Iterator[tuple[str, Node]]:
    """The commitments that the questionnaire names apart from its items."""
    for position, code in enumerate(record.get("commitments", ())):
        yield code, record.where_in("commitments", position)
    for code, (_, node) in record.get("commitment_rules", {}).items():
        yield code, node
