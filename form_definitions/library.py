"""What questionnaires refer to: the shared scales, the frameworks and the organisation of one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from form_definitions.errors import DefinitionError, Fault, Place, Report, TooManyFaultsError, fault
from form_definitions.frameworks import Framework, read_framework
from form_definitions.language import SCALES
from form_definitions.organisation import Organisation, read_organisation
from form_definitions.scales import Scale, read_scale
from form_definitions.yaml_source import Node, read_yaml

FOLDER = Path(__file__).parent
"""The folder of the definitions that come with the program."""

Built = TypeVar("Built")


def folder_of(path: Path) -> Path:
    """The folder of definitions that a file lies in, or the program's own for a file from elsewhere."""
    for folder in (path.parent, path.parent.parent):
        if (folder / "scales.yaml").is_file() and (folder / "organisation.yaml").is_file():
            return folder
    return FOLDER


def file_of(folder: Path, name: str) -> Path:
    """A file of a folder of definitions, or the program's own where that folder has none."""
    own = folder / name
    return own if own.exists() else FOLDER / name


def files_of(folder: Path, kind: str) -> list[Path]:
    """The YAML files of ``frameworks`` or ``questionnaires``: the folder's, and the program's others."""
    found = {path.name: path for place in (FOLDER, folder) for path in (place / kind).glob("*.yaml")}
    return [found[name] for name in sorted(found)]


@dataclass(frozen=True)
class Library:
    """Everything a questionnaire may name. ``faults`` tells what could not be read."""

    organisation: Organisation | None = None
    scales: Mapping[str, Scale] = field(default_factory=dict)
    frameworks: Mapping[str, Framework] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def load_library(folder: Path | None = None) -> Library:
    """Read scales.yaml, organisation.yaml and frameworks/ of a folder. Never raises on bad content.

    A file that the folder lacks is the program's own.
    """
    folder = folder or FOLDER
    scales, faults = read_file(file_of(folder, "scales.yaml"), read_scales)
    organisation, organisation_faults = read_file(file_of(folder, "organisation.yaml"), read_organisation)
    frameworks: dict[str, Framework] = {}
    for path in files_of(folder, "frameworks"):
        framework, framework_faults = read_file(path, read_framework)
        organisation_faults += framework_faults
        if framework:
            frameworks[framework.code] = framework
    return Library(organisation, scales or {}, frameworks, faults + organisation_faults)


def load_organisation(folder: Path | None = None) -> Organisation:
    """The organisation of a folder. Raises DefinitionError."""
    organisation, faults = read_file(file_of(folder or FOLDER, "organisation.yaml"), read_organisation)
    if organisation is None:
        raise DefinitionError(faults)
    return organisation


def load_framework(code: str, folder: Path | None = None) -> Framework:
    """One framework of a folder. Raises DefinitionError."""
    framework, faults = read_file(file_of(folder or FOLDER, f"frameworks/{code}.yaml"), read_framework)
    if framework is None:
        raise DefinitionError(faults)
    return framework


def read_scales(node: Node, report: Report) -> dict[str, Scale] | None:
    """The scales of a scales.yaml."""
    records = SCALES.read(node, report)
    if not isinstance(records, dict):
        return None
    return {name: read_scale(name, record, report) for name, (record, _) in records.items()}


def read_file(
    path: Path, read: Callable[[Node, Report], Built | None]
) -> tuple[Built | None, tuple[Fault, ...]]:
    """What ``read`` makes of the YAML in a file, and all faults."""
    source = source_text(path)
    if isinstance(source, Fault):
        return None, (source,)
    return read_source(source, str(path), read)


def source_text(path: Path) -> str | Fault:
    """The text of a file, or the fault that keeps it from being read."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError:
        return fault("file_missing", Place(str(path)))
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        return fault("not_utf8", Place(str(path), before.count(b"\n") + 1))


def read_source(
    text: str, name: str, read: Callable[[Node, Report], Built | None]
) -> tuple[Built | None, tuple[Fault, ...]]:
    """What ``read`` makes of a YAML text, and all faults."""
    report = Report(name)
    built: Built | None = None
    try:
        node = read_yaml(text, report)
        built = read(node, report) if node is not None else None
    except TooManyFaultsError:
        pass
    return (None if report.has_errors else built), report.faults
