"""Attention: the ledger with its triggers, the state of each customer, suppressions, the workspace's secret"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
START = bytes.fromhex("98240854f9a34396045d3ec317ed0934e0d067f3230c5720cae5adfe154e1697")
# What an erasure leaves alone, and what it empties.
KEPT = ("number", "key_digest", "kind", "happened_at", "learnt_at", "commitment", "chain", "by")


def upgrade() -> None:
    op.create_table(
        "ledger",
        sa.Column("number", NUMBER, nullable=False, autoincrement=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.DateTime(), nullable=False),
        sa.Column("learnt_at", sa.DateTime(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("chain", sa.LargeBinary(length=32), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger")),
        sa.UniqueConstraint("key_digest", name=op.f("uq_ledger_key_digest")),
    )
    op.create_index(op.f("ix_ledger_customer_id"), "ledger", ["customer_id"])
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("chain", sa.LargeBinary(length=32), nullable=False),
        sa.Column("learnt_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_head")),
    )
    head = sa.table(
        "ledger_head",
        sa.column("id", sa.Integer()),
        sa.column("number", NUMBER),
        sa.column("chain", sa.LargeBinary()),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "chain": START}])
    op.create_table(
        "attention_states",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("credit", sa.LargeBinary(), nullable=True),
        sa.Column("credit_at", sa.DateTime(), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.Column("pseudonym", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_attention_states")),
    )
    op.create_index(op.f("ix_attention_states_pseudonym"), "attention_states", ["pseudonym"])
    op.create_table(
        "touch_marks",
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.String(length=200), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(length=8), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "reviewer", name=op.f("pk_touch_marks")),
    )
    op.create_index(op.f("ix_touch_marks_customer_id"), "touch_marks", ["customer_id"])
    op.create_table(
        "suppressions",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("lifted_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "erasures",
        sa.Column("number", NUMBER, nullable=False, autoincrement=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("work", sa.JSON(), nullable=False),
        sa.Column("done", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_erasures")),
    )
    op.create_index(op.f("ix_erasures_digest"), "erasures", ["digest"])
    op.create_table(
        "privacy_keys",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("secret", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_privacy_keys")),
    )
    op.create_table(
        "reservations",
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("personal", sa.Boolean(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("policy", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_reservations")),
    )
    op.create_index(op.f("ix_reservations_customer_id"), "reservations", ["customer_id", "at"])
    op.create_table(
        "attention_policies",
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=8), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_attention_policies")),
    )
    op.create_table(
        "attention_drafts",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_attention_drafts")),
    )
    op.create_table(
        "attention_counts",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_attention_counts")),
    )
    op.create_table(
        "attention_replays",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("policy", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attention_replays")),
    )
    op.create_index(op.f("ix_attention_replays_at"), "attention_replays", ["at"])
    # Wishes, promises and erasures are few among millions of touches.
    op.create_index(
        "ix_ledger_rare",
        "ledger",
        ["kind", "number"],
        sqlite_where=sa.text(RARE),
        postgresql_where=sa.text(RARE),
    )
    _forbid_changes()


RARE = "kind in ('notice', 'promise', 'wish', 'wish-confirmed', 'broken', 'suppressed', 'erased')"


def _forbid_changes() -> None:
    """Triggers: an entry may be emptied by erasure and changed in no other way; nothing is deleted."""
    message = "the ledger is append-only"
    if op.get_bind().dialect.name == "sqlite":
        same = " and ".join(f'new."{name}" is old."{name}"' for name in KEPT)
        empty = "new.key = '' and new.customer_id = '' and new.payload = '' and length(new.salt) = 0"
        op.execute(
            f"create trigger ledger_is_kept before update on ledger when not ({same} and {empty}) "
            f"begin select raise(abort, '{message}'); end"
        )
        op.execute(
            f"create trigger ledger_is_whole before delete on ledger begin select raise(abort, '{message}'); end"
        )
        op.execute(
            "create trigger ledger_head_stays before delete on ledger_head "
            f"begin select raise(abort, '{message}'); end"
        )
        return
    same = " and ".join(f'new."{name}" is not distinct from old."{name}"' for name in KEPT)
    empty = "new.key = '' and new.customer_id = '' and new.payload = '' and length(new.salt) = 0"
    op.execute(
        "create function ledger_is_kept() returns trigger language plpgsql as $$ begin "
        f"if tg_op = 'UPDATE' then if {same} and {empty} then return new; end if; end if; "
        f"raise exception '{message}'; end $$"
    )
    op.execute(
        "create trigger ledger_is_kept before update or delete on ledger "
        "for each row execute function ledger_is_kept()"
    )
    op.execute(
        "create trigger ledger_is_whole before truncate on ledger "
        "for each statement execute function ledger_is_kept()"
    )
    op.execute(
        "create trigger ledger_head_stays before delete on ledger_head "
        "for each row execute function ledger_is_kept()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute("drop function ledger_is_kept() cascade")
    for name in (
        "attention_replays",
        "touch_marks",
        "erasures",
        "attention_counts",
        "attention_drafts",
        "attention_policies",
        "reservations",
        "privacy_keys",
        "suppressions",
        "attention_states",
        "ledger_head",
        "ledger",
    ):
        op.drop_table(name)
