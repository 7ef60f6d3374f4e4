"""A questionnaire as a WTForms form: one field class for every question type. Floor 4.

WTForms parses, validates and carries errors and values; the templates draw. What an answer may be is decided
by the question types of ``form_definitions``, the same that judge a record from a tablet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from werkzeug.datastructures import MultiDict
from wtforms import Field
from wtforms.form import BaseForm
from wtforms.validators import StopValidation

from form_definitions import QUESTION_TYPES, AnswerFault, Item, Questionnaire, questionnaire_digest
from form_definitions.answers import specify_key
from form_definitions.question_types import SPECIFY_MAXIMUM_LENGTH, normalised_text, text_faults
from survey_app.i18n import gettext as _

_MESSAGES: Final = {
    "missing": "Répondez à cette question : elle est obligatoire.",
    "advised": "Vous n’avez pas répondu à cette question. Vous pouvez continuer sans y répondre.",
    "unknown_option": "Choisissez une des réponses proposées.",
    "exclusive_option": "Gardez cette réponse seule, ou retirez-la.",
    "too_many": "Choisissez une seule réponse.",
    "not_a_number": "Écrivez un nombre en chiffres, par exemple 12.",
    "not_a_whole_number": "Écrivez un nombre entier, sans virgule.",
    "too_small": "Écrivez un nombre égal ou supérieur à {minimum}.",
    "too_large": "Écrivez un nombre égal ou inférieur à {maximum}.",
    "too_long": "Raccourcissez votre texte : {maximum} caractères au plus.",
    "control_character": "Retirez les caractères spéciaux de votre texte.",
    "wrong_shape": "Répondez de nouveau à cette question.",
}
"""What to do about each fault of `form_definitions.AnswerFault`, in French."""

_CLIENT_ONLY: Final = {
    "counter": "{written} sur {maximum} caractères",
}


class FaultValidation(StopValidation):  # type: ignore[misc]
    """Carries a fault of the question type through WTForms."""

    def __init__(self, fault: AnswerFault) -> None:
        super().__init__(fault_message(fault))


class ItemField(Field):  # type: ignore[misc]
    """The answer to one item, whatever its question type."""

    def __init__(self, item: Item, **options: Any) -> None:
        super().__init__(**options)
        self.item = item
        self.question_type = QUESTION_TYPES[item.question_type]

    def process_formdata(self, valuelist: list[str]) -> None:
        """What the browser sent, as the question type reads it; None = no answer."""
        self.data = self.question_type.parse(self.item, valuelist)

    def pre_validate(self, form: BaseForm) -> None:
        """Report the first fault; a missing answer only where one is required."""
        if self.data is None:
            if self.item.requirement == "required" and self.question_type.takes_answer:
                raise FaultValidation(AnswerFault(self.item.name, "missing", {}))
            return
        for fault in self.question_type.check(self.item, self.data):
            raise FaultValidation(fault)


class SpecifyField(Field):  # type: ignore[misc]
    """The free text beside an option (« Précisez »)."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """The text on one line; None = nothing written."""
        self.data = normalised_text(valuelist[0]).replace("\n", " ") or None if valuelist else None

    def pre_validate(self, form: BaseForm) -> None:
        """Report the first fault of the text."""
        faults = text_faults(self.name, self.data, SPECIFY_MAXIMUM_LENGTH, one_line=True) if self.data else ()
        for fault in faults:
            raise FaultValidation(fault)


class QuestionnaireForm(BaseForm):  # type: ignore[misc]
    """The fields of some items of a questionnaire. Built on `BaseForm`: an item may be called ``data``."""

    def answers(self) -> dict[str, Any]:
        """The answers given, in the one shape used everywhere; an unanswered item has no key."""
        return {name: field.data for name, field in self._fields.items() if field.data is not None}


class FormOfQuestionnaire:
    """Makes forms of a questionnaire: its unbound fields are prepared once."""

    def __init__(self, questionnaire: Questionnaire) -> None:
        self._fields = {item.name: _unbound(item) for item in questionnaire.items}

    def __call__(self, formdata: MultiDict[str, str], items: Iterable[str]) -> QuestionnaireForm:
        """The form of these items, filled with what a browser sent."""
        wanted = {name: field for item in items for name, field in self._fields[item].items()}
        form = QuestionnaireForm(wanted)
        form.process(formdata)
        return form


def _unbound(item: Item) -> dict[str, Any]:
    fields = {item.name: ItemField(item)}
    for option in item.options:
        if option.specify is not None:
            fields[specify_key(item, option.code)] = SpecifyField()
    return fields


_forms: dict[tuple[str, ...], FormOfQuestionnaire] = {}
KEPT_FORMS: Final = 32


def build_form(questionnaire: Questionnaire, digest: str | None = None) -> FormOfQuestionnaire:
    """The form of this questionnaire, made once per digest (computed unless the caller knows it).

    The website may put the question about the site before the questionnaire of the same digest, so the names
    of the sections belong to the key.
    """
    sections = (section.name for section in questionnaire.sections)
    key = (digest or questionnaire_digest(questionnaire), *sections)
    if key not in _forms:
        if len(_forms) >= KEPT_FORMS:
            _forms.clear()
        _forms[key] = FormOfQuestionnaire(questionnaire)
    return _forms[key]


def fault_message(fault: AnswerFault) -> str:
    """What to do, in the language of the page."""
    return _(_MESSAGES.get(fault.code, _MESSAGES["wrong_shape"]), **_spoken(fault.parameters))


def _spoken(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if isinstance(value, str | int)}


def client_messages() -> dict[str, str]:
    """The sentences that the page's script needs, by code, with their parameters left open."""
    return {code: _(text) for code, text in {**_MESSAGES, **_CLIENT_ONLY}.items()}
