"""The agent's corner of the tablet stays open under the agent's hands, whatever arrives meanwhile."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from survey_app.database import db
from survey_app.device_models import Device
from tests.browser.enrolled_tablet import EnrolledTablet

pytestmark = pytest.mark.browser

OPEN_THE_CORNER_WHILE_THE_TABLET_LOOKS_WHETHER_IT_IS_REVOKED = """
const read = IDBObjectStore.prototype.get;
IDBObjectStore.prototype.get = function (key) {
  if (key === 'revoked' && document.body.dataset.screen === 'languages') {
    IDBObjectStore.prototype.get = read;
    document.getElementById('agent-open').click();
    // What the tablet reads next waits behind this transaction, until the corner is open.
    const facts = this.transaction.db.transaction('facts', 'readwrite').objectStore('facts');
    const hold = () => {
      if (document.body.dataset.screen !== 'agent') read.call(facts, 'nothing').onsuccess = hold;
      else document.body.dataset.raced = 'yes';
    };
    hold();
  }
  return read.call(this, key);
};
"""


def test_a_revocation_that_arrives_while_the_agent_opens_the_corner_does_not_close_it(
    enrolled_tablet: EnrolledTablet,
) -> None:
    page = enrolled_tablet.page
    with enrolled_tablet.site.app.app_context():
        (device,) = db.session.scalars(sa.select(Device.id))
    enrolled_tablet.site.revoke(device)
    page.add_init_script(OPEN_THE_CORNER_WHILE_THE_TABLET_LOOKS_WHETHER_IT_IS_REVOKED)
    page.goto(enrolled_tablet.address)
    expect(page.locator("body[data-raced=yes]")).to_be_attached(timeout=20_000)
    page.wait_for_timeout(1_000)
    expect(page.locator("#agent-title")).to_be_visible()
    page.locator("#agent-close").click()
    expect(page.locator("#agent-title")).to_be_hidden()
    expect(page.locator("a.language-card:visible")).to_have_count(0)
