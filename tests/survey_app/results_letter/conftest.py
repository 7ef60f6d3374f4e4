"""An edition whose results are published."""

from __future__ import annotations

import pytest

from tests.survey_app.officials_site import (
    BRESSUIRE,
    NIORT,
    PARTHENAY,
    add_answers,
    close,
    seed_officials,
)
from tests.survey_app.staff_site import StaffSite


@pytest.fixture
def published(site: StaffSite) -> StaffSite:
    """156 of 256 answered; Bressuire is a small cell."""
    with site.database():
        seed_officials()
        add_answers(60, 30, NIORT)
        add_answers(44, 14, PARTHENAY)
        add_answers(6, 2, BRESSUIRE)
        close(publish=True)
    return site
