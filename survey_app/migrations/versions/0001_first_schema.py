"""The first schema: surveys, waves, tablets, inbox, responses, tallies, staff; append-only triggers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PROTECTED_COLUMNS = {
    "inbox_record": "id, revision, content_hash, envelope, source, device_id, seq, prev, site, wave_id, "
    "flags, received_at",
    "inbox_conflict": "id, revision, content_hash, envelope, device_id, received_at",
    "response": "record_id, revision, wave_id, questionnaire_digest, site, mode, language, answered_on, "
    "complete, practice, answers, other_answers, flags",
    "response_set_aside": "id, record_id, revision, action, reason, note, by, at",
    "audit_entry": "id, at, actor, action, subject, detail",
}
"""Append-only tables, and the columns that may not change. Only ``judged_at`` of the inbox may."""
TABLES = (
    "server_fact",
    "survey",
    "questionnaire_version",
    "questionnaire_draft",
    "past_result",
    "wave",
    "wave_questionnaire",
    "device",
    "enrolment_code",
    "inbox_record",
    "inbox_conflict",
    "response",
    "response_set_aside",
    "tally_cell",
    "audit_entry",
    "role",
    "user_account",
    "user_role",
)
PURGING = "EXISTS (SELECT 1 FROM server_fact WHERE key = 'purging')"
"""The purge sets this fact at the start of its transaction and takes it away before the end."""


def upgrade() -> None:
    """Create everything."""
    create_survey_tables()
    create_wave_tables()
    create_device_tables()
    create_inbox_tables()
    create_response_tables()
    create_tally_tables()
    create_staff_tables()
    for table, columns in PROTECTED_COLUMNS.items():
        protect(table, columns)


def downgrade() -> None:
    """Remove everything, newest reference first."""
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def protect(table: str, columns: str) -> None:
    """Make a table append-only, in the words of this database."""
    if op.get_bind().dialect.name == "postgresql":
        protect_on_postgresql(table, columns)
    else:
        protect_on_sqlite(table, columns)


def protect_on_sqlite(table: str, columns: str) -> None:
    """``RAISE(ABORT)`` before each change."""
    for event in (f"UPDATE OF {_quoted(columns)}", "DELETE"):
        op.execute(
            f"CREATE TRIGGER append_only_{table}_{event[:6].lower()} BEFORE {event} ON {table} "
            f"WHEN NOT {PURGING} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def protect_on_postgresql(table: str, columns: str) -> None:
    """One function for all tables; TRUNCATE passes row triggers, so it has its own."""
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NOT {PURGING} THEN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END IF; "
        "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
    )
    for event, scope in (
        (f"UPDATE OF {_quoted(columns)}", "ROW"),
        ("DELETE", "ROW"),
        ("TRUNCATE", "STATEMENT"),
    ):
        op.execute(
            f"CREATE TRIGGER append_only_{table}_{event[:6].lower()} BEFORE {event} ON {table} "
            f"FOR EACH {scope} EXECUTE FUNCTION refuse_change()"
        )


def _quoted(columns: str) -> str:
    return ", ".join(f'"{name}"' for name in columns.split(", "))


def create_survey_tables() -> None:
    """server_fact, survey, questionnaire_version, questionnaire_draft, past_result."""
    op.create_table(
        "server_fact",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_server_fact")),
    )
    op.create_table(
        "survey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("questionnaire_slug", sa.String(length=80), nullable=False),
        sa.Column("audience", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey")),
        sa.UniqueConstraint("slug", name=op.f("uq_survey_slug")),
    )
    op.create_table(
        "questionnaire_version",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.Column("translations", sa.JSON(), nullable=False),
        sa.Column("source_yaml", sa.Text(), nullable=False),
        sa.Column("change_sentences", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_questionnaire_version")),
    )
    op.create_index(op.f("ix_questionnaire_version_slug"), "questionnaire_version", ["slug"], unique=False)
    op.create_table(
        "questionnaire_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("source_yaml", sa.Text(), nullable=False),
        sa.Column("translations", sa.JSON(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questionnaire_draft")),
    )
    op.create_index(op.f("ix_questionnaire_draft_slug"), "questionnaire_draft", ["slug"], unique=False)
    op.create_table(
        "past_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("wave_title", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("commitment", sa.String(length=80), nullable=False),
        sa.Column("item", sa.String(length=80), nullable=True),
        sa.Column("favourable", sa.Integer(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_past_result_survey_id_survey")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_result")),
    )


def create_wave_tables() -> None:
    """wave, wave_questionnaire."""
    op.create_table(
        "wave",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("questionnaire_digest", sa.String(length=64), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("sites", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("modes", sa.JSON(), nullable=False),
        sa.Column("expected_visits", sa.JSON(), nullable=False),
        sa.Column("headline_modes", sa.JSON(), nullable=False),
        sa.Column("headline_sites", sa.JSON(), nullable=False),
        sa.Column("anonymity", sa.String(length=80), nullable=False),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("threshold_numerator", sa.Integer(), nullable=False),
        sa.Column("threshold_denominator", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.String(length=80), nullable=False),
        sa.Column("method", sa.String(length=80), nullable=False),
        sa.Column("minimum_base", sa.Integer(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["questionnaire_digest"],
            ["questionnaire_version.digest"],
            name=op.f("fk_wave_questionnaire_digest_questionnaire_version"),
        ),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_wave_survey_id_survey")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave")),
    )
    op.create_table(
        "wave_questionnaire",
        sa.Column("wave_id", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"],
            ["questionnaire_version.digest"],
            name=op.f("fk_wave_questionnaire_digest_questionnaire_version"),
        ),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_wave_questionnaire_wave_id_wave")),
        sa.PrimaryKeyConstraint("wave_id", "digest", name=op.f("pk_wave_questionnaire")),
    )


def create_device_tables() -> None:
    """device, enrolment_code."""
    op.create_table(
        "device",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("slugs", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting", sa.Integer(), nullable=True),
        sa.Column("high_seq", sa.Integer(), nullable=True),
        sa.Column("head_hash", sa.String(length=64), nullable=True),
        sa.Column("app_digest", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
    )
    op.create_table(
        "enrolment_code",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site", sa.String(length=80), nullable=False),
        sa.Column("slugs", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device_id", sa.String(length=36), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_enrolment_code_device_id_device")
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_enrolment_code")),
    )


def create_inbox_tables() -> None:
    """inbox_record, inbox_conflict."""
    op.create_table(
        "inbox_record",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("device_id", sa.String(length=36), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("prev", sa.String(length=64), nullable=True),
        sa.Column("site", sa.String(length=80), nullable=True),
        sa.Column("wave_id", sa.String(length=80), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", "revision", name=op.f("pk_inbox_record")),
    )
    op.create_index("ix_inbox_record_device_id_seq", "inbox_record", ["device_id", "seq"], unique=False)
    op.create_index(
        "ix_inbox_record_waiting",
        "inbox_record",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("judged_at IS NULL"),
        postgresql_where=sa.text("judged_at IS NULL"),
    )
    op.create_table(
        "inbox_conflict",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("device_id", sa.String(length=36), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", "revision", "content_hash", name=op.f("pk_inbox_conflict")),
    )


def create_response_tables() -> None:
    """response, response_set_aside."""
    op.create_table(
        "response",
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wave_id", sa.String(length=80), nullable=True),
        sa.Column("questionnaire_digest", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=80), nullable=False),
        sa.Column("mode", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=80), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("practice", sa.Boolean(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("other_answers", sa.JSON(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "revision", name=op.f("pk_response")),
    )
    op.create_index("ix_response_wave_id_answered_on", "response", ["wave_id", "answered_on"], unique=False)
    op.create_index(
        "ix_response_noteworthy",
        "response",
        ["wave_id"],
        unique=False,
        sqlite_where=sa.text("(practice OR CAST(flags AS TEXT) <> '[]')"),
        postgresql_where=sa.text("(practice OR CAST(flags AS TEXT) <> '[]')"),
    )
    op.create_table(
        "response_set_aside",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id", "revision"],
            ["response.record_id", "response.revision"],
            name=op.f("fk_response_set_aside_record_id_revision_response"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response_set_aside")),
    )
    op.create_index(
        "ix_response_set_aside_record_id_revision",
        "response_set_aside",
        ["record_id", "revision"],
        unique=False,
    )


def create_tally_tables() -> None:
    """tally_cell."""
    op.create_table(
        "tally_cell",
        sa.Column("wave_id", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=80), nullable=False),
        sa.Column("mode", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("layout", sa.String(length=64), nullable=False),
        sa.Column("counters", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "wave_id", "digest", "site", "mode", "language", "day", name=op.f("pk_tally_cell")
        ),
    )


def create_staff_tables() -> None:
    """audit_entry, role, user_account, user_role."""
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_table(
        "role",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint("name", name=op.f("uq_role_name")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("person_name", sa.Text(), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_user_account_fs_uniquifier")),
    )
    op.create_table(
        "user_role",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["role.id"], name=op.f("fk_user_role_role_id_role")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_user_role_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_user_role")),
    )
