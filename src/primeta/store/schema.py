"""The tables of the operational state: what people did and what was frozen at first sight.

Cards, decisions, inputs, grade moves, experiments and the audit are append-only: a later row supersedes an
earlier one, nothing is overwritten. Times are stored as UTC without a zone.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

# One row a finished watch. The highest `seen_until` is the mark "seen up to".
runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seen_until", DateTime, nullable=False, unique=True),
    Column("facts_version", String(64), nullable=False),
    Column("promise_start", Date, nullable=False),
    Column("watched", Integer, nullable=False),
    Column("finished_at", DateTime, nullable=False),
    Column("summary", JSON, nullable=False),
)

# A signal frozen at first sight and, beside it, its evidence as the last watch saw it.
signals = Table(
    "signals",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("promise_start", Date, nullable=False),
    Column("frozen", JSON, nullable=False),
    Column("grade", String(16), nullable=False, index=True),
    Column("evidence", JSON, nullable=False),
    Column("seen_until", DateTime, nullable=False),
)

# Each time a signal's grade moved: the key makes a repeated watch write nothing twice.
grade_moves = Table(
    "grade_moves",
    metadata,
    Column("signal_id", String(64), ForeignKey("signals.id"), primary_key=True),
    Column("seen_until", DateTime, primary_key=True),
    Column("was", String(16)),
    Column("now", String(16), nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("direction", String(8), nullable=False),
    Column("happened_at", Date, nullable=False),
    Column("logged_at", DateTime, nullable=False),
    Column("by", Text, nullable=False),
    # Files that came with it: digest, name, media, size; the bytes lie in `raw/`.
    Column("files", JSON, nullable=False, server_default="[]"),
)

trends = Table(
    "trends",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("created_at", DateTime, nullable=False),
    Column("created_by", Text, nullable=False),
    # Evidence of the whole trend and its weighing, computed by the last watch.
    Column("evidence", JSON, nullable=False),
    Column("weighing", JSON),
)

cards = Table(
    "cards",
    metadata,
    Column("trend_id", String(64), ForeignKey("trends.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("card", JSON, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)

# Which signals belong to a trend; the last row of a pair counts: attached, or refused.
memberships = Table(
    "memberships",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("trend_id", String(64), ForeignKey("trends.id"), nullable=False, index=True),
    Column("signal_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)

# What a named person put into a weighing: a guess, or the lawyer's word on risk.
inputs = Table(
    "inputs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("trend_id", String(64), ForeignKey("trends.id"), nullable=False, index=True),
    Column("name", String(32), nullable=False),
    Column("value", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("trend_id", String(64), ForeignKey("trends.id"), nullable=False, index=True),
    Column("answer", String(16), nullable=False),
    Column("criteria", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("due", Date, nullable=False, index=True),
    Column("owner", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", DateTime, nullable=False),
)

# The history of a trend, line by line. `mark` makes what a watch writes idempotent.
events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("trend_id", String(64), ForeignKey("trends.id"), nullable=False, index=True),
    Column("at", DateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("what", JSON, nullable=False),
    Column("mark", String(128), nullable=False),
    UniqueConstraint("trend_id", "mark"),
)

# Experiments. Everything about them is append-only: a changed plan is a new version, what was seen
# at a look is frozen with its numbers. `number` counts the lines of one experiment's history: two
# people who change it at once write the same number, and the second is told.
experiments = Table(
    "experiments",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("created_at", DateTime, nullable=False),
    Column("created_by", Text, nullable=False),
)

plan_versions = Table(
    "plan_versions",
    metadata,
    Column("experiment", String(64), ForeignKey("experiments.name"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("plan", JSON, nullable=False),
    # What its numbers rest on beside the plan: definitions of the metrics, zone, margin.
    Column("basis", JSON, nullable=False),
    # SHA-256 of both, so that a row changed by hand is noticed.
    Column("seal", String(64), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)

experiment_events = Table(
    "experiment_events",
    metadata,
    Column("experiment", String(64), ForeignKey("experiments.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("what", JSON, nullable=False),
    Column("mark", String(128), nullable=False),
    UniqueConstraint("experiment", "mark"),
)

looks = Table(
    "looks",
    metadata,
    Column("experiment", String(64), ForeignKey("experiments.name"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("seen_until", DateTime, nullable=False),
    Column("facts_version", String(64), nullable=False),
    Column("code_version", String(32), nullable=False),
    Column("at", DateTime, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("ratio_evidence", Float, nullable=False),
    Column("analysis", JSON, nullable=False),
    UniqueConstraint("experiment", "version", "seen_until", "facts_version"),
)

# Steps of a rollout; `decision` is the number of the event that decided to scale.
rollout_steps = Table(
    "rollout_steps",
    metadata,
    Column("experiment", String(64), ForeignKey("experiments.name"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("decision", Integer, nullable=False),
    Column("share", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("why", Text, nullable=False),
    Column("gates", JSON, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("cancel", Integer, nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("heartbeat", DateTime),
    Column("result", JSON, nullable=False),
)

# What was sent to a channel, by subject: a week's digest, a review. Claimed before it is sent, so that
# nothing goes out twice.
deliveries = Table(
    "deliveries",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("subject", String(160), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("why", String(16), nullable=False),
    Column("answer", Text, nullable=False),
    # Parts (recipient and piece) that the service took.
    Column("accepted", JSON, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("first_at", DateTime, nullable=False),
    Column("at", DateTime, nullable=False),
)

# The last hour of a channel's schedule that was worked off.
delivery_hours = Table(
    "delivery_hours",
    metadata,
    Column("channel", String(64), primary_key=True),
    Column("hour", DateTime, nullable=False),
)

# The secret in a feed's address may be changed; `id`, which its entries carry, stays.
feeds = Table(
    "feeds",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("id", String(64), nullable=False),
    Column("token", String(64), nullable=False),
    Column("at", DateTime, nullable=False),
    Column("by", Text, nullable=False),
)

# What outside sources are, how they do, and where reading goes on: the newest ETag, the place in a mailbox.
text_sources = Table(
    "text_sources",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("definition", JSON, nullable=False),
    Column("tried_at", DateTime),
    Column("succeeded_at", DateTime),
    Column("next_at", DateTime),
    Column("failures", Integer, nullable=False),
    Column("trouble", JSON),
    Column("part_troubles", JSON, nullable=False),
    Column("known", JSON, nullable=False),
    Column("position", JSON, nullable=False),
)

# Each thing that was fetched, with what came of it: never changed.
fetches = Table(
    "fetches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String(64), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("state", String(8), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("media", String(128), nullable=False),
    Column("encoding", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("found", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("trouble", JSON),
)

# `number` is the order of arrival: vectors and words are kept in it.
documents = Table(
    "documents",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("source", String(64), nullable=False),
    Column("owner", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("published_at", DateTime),
    # `published_at`, else `seen_at`: what time lists are in the order of.
    Column("at", DateTime, nullable=False, index=True),
    Column("seen_at", DateTime, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("links", JSON, nullable=False),
    Column("forwarded_from", Text, nullable=False),
    Column("customer_id", Text, nullable=False, index=True),
    Column("score", Float),
    Column("attributes", JSON, nullable=False),
    Column("raw", String(64), nullable=False),
    # The story that it tells: the id of the document that told it first, and why it is a copy of that.
    Column("story", String(32), nullable=False, index=True),
    Column("why", String(16), nullable=False),
    # How each source does is counted from this index alone, without reading the texts.
    Index("ix_documents_source", "source", "why", "at"),
)

# What people did with a story of the reading list.
document_marks = Table(
    "document_marks",
    metadata,
    Column("document", String(32), primary_key=True),
    Column("mark", String(16), nullable=False),
    Column("note", String(64), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)

# `frozen` is fixed at first sight, `topic` is how it stands.
topics = Table(
    "topics",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("promise_start", Date, nullable=False),
    Column("frozen", JSON, nullable=False),
    Column("topic", JSON, nullable=False),
    Column("grade", String(16), nullable=False, index=True),
    Column("seen_until", DateTime, nullable=False),
)

topic_documents = Table(
    "topic_documents",
    metadata,
    Column("topic", String(64), ForeignKey("topics.id"), primary_key=True),
    Column("document", String(32), primary_key=True, index=True),
)

# Who did what through any surface: never changed, never deleted.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", DateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("verb", String(32), nullable=False),
    Column("what", JSON, nullable=False),
)

# Attention. `ledger` is append-only and chained; triggers of the database forbid every change but erasure, which
# empties key, customer_id, payload and salt (`attention.chain` says why the chain then still holds).
LEDGER_NUMBER = BigInteger().with_variant(Integer, "sqlite")
ledger = Table(
    "ledger",
    metadata,
    Column("number", LEDGER_NUMBER, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    # Keyed hash of `key`: told twice is one entry, also after erasure.
    Column("key_digest", LargeBinary(16), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("customer_id", Text, nullable=False, index=True),
    Column("happened_at", DateTime, nullable=False),
    Column("learnt_at", DateTime, nullable=False),
    Column("payload", Text, nullable=False),
    Column("salt", LargeBinary(32), nullable=False),
    Column("commitment", LargeBinary(32), nullable=False),
    Column("chain", LargeBinary(32), nullable=False),
    Column("by", Text, nullable=False),
)

# Wishes, promises and erasures are few among millions of touches.
RARE = text("kind in ('notice', 'promise', 'wish', 'wish-confirmed', 'broken', 'suppressed', 'erased')")
Index("ix_ledger_rare", ledger.c.kind, ledger.c.number, sqlite_where=RARE, postgresql_where=RARE)

# One row: the end of the chain. Who appends locks it first.
ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", LEDGER_NUMBER, nullable=False),
    Column("chain", LargeBinary(32), nullable=False),
    Column("learnt_at", DateTime),
)

# What the ledger says about each customer, packed; written in the transaction of the entries. `credit` is written
# by whoever works credit out and may be emptied at any time.
attention_states = Table(
    "attention_states",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("number", LEDGER_NUMBER, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("credit", LargeBinary),
    Column("credit_at", DateTime),
    # Where he lives, as the facts tell; quiet hours are his.
    Column("zone", String(64)),
    # What pages and their addresses show of him; by it he is found.
    Column("pseudonym", String(16), nullable=False, index=True),
)

# "Would you wait for the next one?": what a reviewer thinks of one message, with what it was at the time.
touch_marks = Table(
    "touch_marks",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("reviewer", String(200), primary_key=True),
    Column("customer_id", Text, nullable=False, index=True),
    # `yes`, `no`, `neutral`.
    Column("mark", String(8), nullable=False),
    Column("note", Text, nullable=False),
    Column("channel", String(64), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("campaign", Text, nullable=False),
    Column("programme", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)

# A message that holds a place under the caps until it is confirmed as sent, released, or its time is over.
reservations = Table(
    "reservations",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("channel", String(64), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("campaign", Text, nullable=False),
    Column("programme", Text, nullable=False),
    Column("personal", Boolean),
    # When it is to be sent; once confirmed, when it was.
    Column("at", DateTime, nullable=False),
    # `reserved`, `confirmed`, `released`.
    Column("state", String(16), nullable=False),
    Column("probability", Float, nullable=False),
    Column("policy", Integer, nullable=False),
    Column("made_at", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
    Column("by", Text, nullable=False),
    Index("ix_reservations_customer_id", "customer_id", "at"),
)

# What may be sent to whom and when, every version; `origin` is `file` or `page`.
attention_policies = Table(
    "attention_policies",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("policy", JSON, nullable=False),
    Column("seal", String(64), nullable=False),
    Column("origin", String(8), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    # Why it was switched on without a replay, or of which earlier version it is the return.
    Column("note", Text, nullable=False),
)

# A policy that is being written, every time it was saved: the newest row is the draft.
attention_drafts = Table(
    "attention_drafts",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    # `draft`, `dropped`, `on`.
    Column("state", String(8), nullable=False),
    # The version that it was begun from.
    Column("base", Integer, nullable=False),
    Column("policy", JSON, nullable=False),
    Column("seal", String(64), nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)

# What is counted over the whole ledger and would take a page too long: coverage of consents, the last check of the
# chain. `number` is the last entry that it knows.
attention_counts = Table(
    "attention_counts",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("number", LEDGER_NUMBER, nullable=False),
    Column("document", JSON, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", DateTime, nullable=False),
)

# The year held against promises, credit and policy, as it was worked out last; `policy` is that of a draft, and a draft
# that waits for its turn has no document yet. Customers are named by pseudonyms.
attention_replays = Table(
    "attention_replays",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("at", DateTime, nullable=False, index=True),
    Column("by", Text, nullable=False),
    Column("policy", JSON(none_as_null=True)),
    Column("seal", String(64), nullable=False),
    # Changes with everything that it is made of.
    Column("mark", String(64), nullable=False),
    Column("document", JSON(none_as_null=True)),
    Column("code", String(32), nullable=False),
    Column("seconds", Float, nullable=False),
)

# Who was erased and must not be written again: a keyed digest of the id, nothing else.
suppressions = Table(
    "suppressions",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("since", DateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("number", LEDGER_NUMBER, nullable=False),
    # When a consent with proof that he gave since then was learnt: from then on he is a customer like any other, but for
    # what is older than the erasure.
    Column("lifted_at", DateTime),
)

# Erasures, each with how far it is: one that was killed is found here and finished. Nothing by which the customer could
# be told; `work` names files that are still to go, `done` counts what went.
erasures = Table(
    "erasures",
    metadata,
    Column("number", LEDGER_NUMBER, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), nullable=False, index=True),
    # `running`, `done`.
    Column("state", String(16), nullable=False),
    Column("at", DateTime, nullable=False),
    Column("by", Text, nullable=False),
    Column("work", JSON, nullable=False),
    Column("done", JSON, nullable=False),
)

# The workspace's secret, from which all keyed hashes are derived.
privacy_keys = Table(
    "privacy_keys",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("secret", LargeBinary(32), nullable=False),
    Column("made_at", DateTime, nullable=False),
)
