"""Check whole files of definitions, whatever their kind: what ``survey-app check`` shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from form_definitions.bundle import texts_of
from form_definitions.errors import Fault, Place, fault
from form_definitions.frameworks import read_framework
from form_definitions.library import (
    FOLDER,
    Library,
    files_of,
    folder_of,
    load_library,
    read_file,
    read_scales,
)
from form_definitions.loader import check_file
from form_definitions.model import Questionnaire
from form_definitions.organisation import read_organisation
from form_definitions.translations import Catalogue, catalogue_faults, read_catalogue, translation_files


def check_files(
    paths: Sequence[Path | str] | None = None,
    folder: Path | None = None,
    published: Sequence[Questionnaire] | None = None,
) -> list[Fault]:
    """Every fault of these files: questionnaires, scales, frameworks, the organisation, translations.

    A path may be a whole folder of definitions; without paths it is ``folder``, by default the program's own.
    A questionnaire given alone is checked with the scales, framework and organisation of its folder. What a
    folder lacks is taken from the program's own. Codes keep the meaning that they have in ``published``, by
    default in the program's own questionnaires.
    """
    if paths is None:
        paths = [folder or FOLDER]
    faults: dict[Fault, None] = {}
    for path in map(Path, paths):
        for file in definition_files(path) if path.is_dir() else (path,):
            faults |= dict.fromkeys(_check(file, folder or folder_of(file), published))
    return sorted(faults, key=lambda found: (found.file, found.line, found.column))


def definition_files(folder: Path) -> Iterator[Path]:
    """The files of a folder of definitions; of an empty one, the organisation that should be there."""
    singles = [path for name in ("organisation.yaml", "scales.yaml") if (path := folder / name).exists()]
    several = [path for kind in ("frameworks", "questionnaires") for path in (folder / kind).glob("*.yaml")]
    yield from [*singles, *sorted(several), *translation_files(folder)] or [folder / "organisation.yaml"]


def _check(path: Path, folder: Path, published: Sequence[Questionnaire] | None) -> Sequence[Fault]:
    if path.suffix == ".po":
        return _check_translations(path, folder)
    if path.suffix not in (".yaml", ".yml"):
        return [fault("file_kind_unknown", Place(str(path)))]
    if path.name == "scales.yaml":
        return read_file(path, read_scales)[1]
    if path.name == "organisation.yaml":
        return read_file(path, read_organisation)[1]
    if path.parent.name == "frameworks":
        return read_file(path, read_framework)[1]
    return _check_questionnaire(path, folder, _shipped() if published is None else published)


@cache
def _shipped() -> tuple[Questionnaire, ...]:
    return tuple(_questionnaires(FOLDER, load_library(FOLDER)))


def _check_questionnaire(path: Path, folder: Path, published: Sequence[Questionnaire]) -> Sequence[Fault]:
    checked = check_file(path, folder=folder)
    earlier = [one for one in published if checked.questionnaire and one.slug == checked.questionnaire.slug]
    if earlier:
        checked = check_file(path, folder=folder, published=earlier)
    if checked.questionnaire is None:
        return checked.faults
    needed = list(texts_of(checked.questionnaire))
    faults = list(checked.faults)
    for catalogue in map(read_catalogue, translation_files(folder)):
        if isinstance(catalogue, Fault):
            faults.append(catalogue)
        else:
            faults += catalogue_faults(catalogue, _not_shipped(needed, catalogue, folder), catalogue.lines)
    return faults


def _not_shipped(needed: Sequence[str], catalogue: Catalogue, folder: Path) -> list[str]:
    """The texts that the program's own catalogue of this language does not translate already."""
    shipped = FOLDER / "translations" / f"{catalogue.language}.po"
    known = read_catalogue(shipped) if folder != FOLDER and shipped.exists() else None
    messages = known.messages if isinstance(known, Catalogue) else {}
    return [text for text in needed if text not in messages]


def _check_translations(path: Path, folder: Path) -> Sequence[Fault]:
    catalogue = read_catalogue(path)
    if isinstance(catalogue, Fault):
        return [catalogue]
    library = load_library(folder)
    needed = [text for questionnaire in _questionnaires(folder, library) for text in texts_of(questionnaire)]
    if library.organisation:
        needed += library.organisation.public_texts()
    unused = [option.label for scale in library.scales.values() for option in scale.options]
    missing = _not_shipped(needed, catalogue, folder)
    return catalogue_faults(catalogue, missing, [*unused, *needed])


def _questionnaires(folder: Path, library: Library) -> Iterator[Questionnaire]:
    for path in files_of(folder, "questionnaires"):
        questionnaire = check_file(path, library=library).questionnaire
        if questionnaire:
            yield questionnaire
