"""The states of an invitation, and the errors of what is asked of one."""

from __future__ import annotations

from typing import Final

from survey_app.responses.link_facts import (
    ANSWERED as ANSWERED,
)
from survey_app.responses.link_facts import (
    DECLINED as DECLINED,
)
from survey_app.responses.link_facts import (
    FORGOTTEN as FORGOTTEN,
)
from survey_app.responses.link_facts import (
    OBJECTED as OBJECTED,
)
from survey_app.responses.link_facts import (
    OVER as OVER,
)
from survey_app.responses.link_facts import (
    UNREACHABLE as UNREACHABLE,
)
from survey_app.responses.link_facts import (
    WAITING as WAITING,
)
from survey_app.responses.link_facts import (
    WITHDRAWN as WITHDRAWN,
)
from survey_app.responses.link_facts import (
    WRONG_PERSON as WRONG_PERSON,
)

STATES: Final[dict[str, str]] = {
    WAITING: "En attente",
    ANSWERED: "A répondu",
    DECLINED: "Ne souhaite pas répondre",
    WRONG_PERSON: "Mauvais destinataire",
    UNREACHABLE: "Injoignable",
    OBJECTED: "S’oppose à tout envoi",
    WITHDRAWN: "Lien retiré",
    OVER: "Édition close",
}
"""The states and their names on the staff's screens."""
MAY_ANSWER: Final = (WAITING, DECLINED, UNREACHABLE)
"""Who declined may think again; who could not be reached by mail may have a letter."""
KEY_CHANGED: Final = (
    "DEVICE_MASTER_KEY n’est plus la clé des liens déjà faits\u00a0: un nouveau message porterait "
    "un lien qui n’ouvre rien, et les oppositions ne seraient plus reconnues. Remettez l’ancienne clé "
    "dans les réglages du serveur, puis relancez-le\u202f; elle est avec vos copies."
)
LINKS_STAY: Final = "L’édition est close\u00a0: ses liens ne changent plus."
OPEN: Final = "open"
"""The state of a wave that takes answers."""


class LinkError(ValueError):
    """What was asked of a link or a wave by personal link cannot be done; the message (French) says why."""


class AlreadyAnswered(LinkError):  # noqa: N818 (a state of the world, answered by a friendly page)
    """Somebody has answered with this link before: one answer per invitation."""


class LinkIsDead(LinkError):  # noqa: N818
    """This link was passed on, issued anew, or taken back."""


class LinkKeyChanged(LinkError):  # noqa: N818
    """Links made now would open nothing: the key they were derived from is another one."""


class WaveIsOver(LinkError):  # noqa: N818
    """The wave takes no answers (any more)."""
