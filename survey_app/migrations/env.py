"""Alembic's environment: runs on the connection that :mod:`survey_app.migrations` hands over."""

from alembic import context

from survey_app import device_models, invitation_models, models  # noqa: F401 (declare the tables)
from survey_app.database import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
