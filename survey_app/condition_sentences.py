"""A condition as a sentence for people who answer on paper, where nothing can hide a question. Floor 4."""

from __future__ import annotations

from form_definitions import Questionnaire, Translations, localise
from form_definitions.conditions import Condition
from survey_app.i18n import translate


def sentence_of(
    condition: Condition, questionnaire: Questionnaire, translations: Translations, language: str
) -> str:
    """Who answers this question; a plain sentence where the condition is composed of several."""
    ((operator, operand),) = condition.items()
    refused = operator == "not"
    if refused:
        ((operator, operand),) = operand.items()
    if operator not in ("is", "any_of"):
        return translate(language, "Répondez seulement si cela vous concerne.")
    name, codes = operand[0], [operand[1]] if operator == "is" else operand[1]
    item = questionnaire.items_by_name[name]

    def said(text: str) -> str:
        return localise(text, language, translations).text

    options = [option.label for code in codes if (option := item.option(code))]
    quoted = [translate(language, "« {answer} »", answer=said(option)) for option in options]
    either = translate(language, "ou")
    answers, question = f" {either} ".join(quoted), said(item.label)
    if refused:
        return translate(
            language,
            "Sauf si vous avez répondu {answers} à la question « {question} »",
            answers=answers,
            question=question,
        )
    return translate(
        language,
        "Seulement si vous avez répondu {answers} à la question « {question} »",
        answers=answers,
        question=question,
    )
