"""A survey by personal link: sampling frames, invitations, their mails, and the pool of sealed answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    "mail_message",
    "mailing",
    "anonymous_text",
    "sealed_answer",
    "saved_interview",
    "invitation",
    "objection",
    "wave_frame",
    "sampled_unit",
    "sampling_frame",
)


def upgrade() -> None:
    """The ten tables of ``survey_app/invitation_models.py``."""
    _create_frame_tables()
    _create_participation_tables()
    _create_answer_tables()
    _create_mail_tables()


def downgrade() -> None:
    """In the order of references."""
    for table in TABLES:
        op.drop_table(table)


def _create_frame_tables() -> None:
    op.create_table(
        "sampling_frame",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_date", sa.Date(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_hash", sa.String(length=64), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sampling_frame")),
    )
    op.create_table(
        "sampled_unit",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("frame_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("authority_kind", sa.String(length=80), nullable=False),
        sa.Column("authority_code", sa.String(length=80), nullable=False),
        sa.Column("authority_name", sa.Text(), nullable=False),
        sa.Column("arrondissement", sa.String(length=80), nullable=True),
        sa.Column("inhabitants", sa.Integer(), nullable=True),
        sa.Column("office", sa.String(length=80), nullable=False),
        sa.Column("civility", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("postal_address", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["frame_id"], ["sampling_frame.id"], name=op.f("fk_sampled_unit_frame_id_sampling_frame")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sampled_unit")),
    )
    op.create_index(op.f("ix_sampled_unit_frame_id"), "sampled_unit", ["frame_id"], unique=False)
    op.create_table(
        "wave_frame",
        sa.Column("wave_id", sa.String(length=80), nullable=False),
        sa.Column("frame_id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=80), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("strata", sa.JSON(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("source_hash", sa.String(length=64), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_by", sa.Text(), nullable=False),
        sa.Column("nominative", sa.Boolean(), nullable=False),
        sa.Column("results_until", sa.Date(), nullable=True),
        sa.Column("key_id", sa.String(length=80), nullable=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("key_destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mixed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("participation", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["frame_id"], ["sampling_frame.id"], name=op.f("fk_wave_frame_frame_id_sampling_frame")
        ),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_wave_frame_wave_id_wave")),
        sa.PrimaryKeyConstraint("wave_id", name=op.f("pk_wave_frame")),
    )
    op.create_table(
        "objection",
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("origin", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_objection")),
    )


def _create_participation_tables() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("wave_id", sa.String(length=80), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("stratum", sa.String(length=80), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("letter_code_hash", sa.String(length=64), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("passed_on", sa.Boolean(), nullable=False),
        sa.Column("started", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["sampled_unit.id"], name=op.f("fk_invitation_unit_id_sampled_unit")
        ),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_invitation_wave_id_wave")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("letter_code_hash", name=op.f("uq_invitation_letter_code_hash")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
        sa.UniqueConstraint("wave_id", "unit_id", name=op.f("uq_invitation_wave_id_unit_id")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_invitation_unit_id"), "invitation", ["unit_id"], unique=False)
    op.create_index(op.f("ix_invitation_wave_id"), "invitation", ["wave_id"], unique=False)
    op.create_table(
        "saved_interview",
        sa.Column("invitation_id", sa.String(length=36), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitation.id"], name=op.f("fk_saved_interview_invitation_id_invitation")
        ),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_saved_interview")),
        sqlite_with_rowid=False,
    )


def _create_answer_tables() -> None:
    op.create_table(
        "sealed_answer",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("wave_id", sa.String(length=80), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_sealed_answer_wave_id_wave")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_answer")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_sealed_answer_wave_id"), "sealed_answer", ["wave_id"], unique=False)
    op.create_table(
        "anonymous_text",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("wave_id", sa.String(length=80), nullable=False),
        sa.Column("item", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_anonymous_text_wave_id_wave")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anonymous_text")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_anonymous_text_wave_id"), "anonymous_text", ["wave_id"], unique=False)


def _create_mail_tables() -> None:
    op.create_table(
        "mailing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("wave_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("attachment", sa.LargeBinary(), nullable=True),
        sa.Column("attachment_name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("scheduled_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_mailing_wave_id_wave")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailing")),
    )
    op.create_index(op.f("ix_mailing_wave_id"), "mailing", ["wave_id"], unique=False)
    op.create_table(
        "mail_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("invitation_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("return_tag", sa.String(length=80), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_reply", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitation.id"], name=op.f("fk_mail_message_invitation_id_invitation")
        ),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailing.id"], name=op.f("fk_mail_message_mailing_id_mailing")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_message")),
        sa.UniqueConstraint(
            "mailing_id", "invitation_id", name=op.f("uq_mail_message_mailing_id_invitation_id")
        ),
        sa.UniqueConstraint("message_id", name=op.f("uq_mail_message_message_id")),
        sa.UniqueConstraint("return_tag", name=op.f("uq_mail_message_return_tag")),
    )
    op.create_index(op.f("ix_mail_message_invitation_id"), "mail_message", ["invitation_id"], unique=False)
    op.create_index(op.f("ix_mail_message_mailing_id"), "mail_message", ["mailing_id"], unique=False)
    op.create_index(
        "ix_mail_message_state_next_try_at", "mail_message", ["state", "next_try_at"], unique=False
    )
