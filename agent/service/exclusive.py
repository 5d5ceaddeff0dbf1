"""One request at a time on one conversation, in all processes together.

The lock is an advisory one of PostgreSQL on a connection of its own: a process that dies lets go by itself, and no transaction stays open
while a model is writing.
"""

from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Engine, text

from agent.service.errors import ConversationBusy
from db.engine import DatabaseBusy


@contextmanager
def alone(engine: Engine, conversation_id: UUID, *, wait_s: float) -> Generator[None]:
    """Hold the conversation. Raises ConversationBusy where another request has held it for ``wait_s`` seconds."""
    key = conversation_id.int % 2**63
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT set_config('lock_timeout', :wait, false)"), {"wait": f"{round(wait_s * 1000)}ms"})
        try:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        except DatabaseBusy as error:
            raise ConversationBusy(conversation_id, wait_s) from error
        try:
            yield
        finally:
            # The connection goes back to the pool as it came.
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
            connection.execute(text("RESET lock_timeout"))
