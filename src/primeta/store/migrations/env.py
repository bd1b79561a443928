"""Alembic's entry: the connection is handed in by `store.database`, never read from a file."""

from alembic import context

from primeta.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
context.run_migrations()
