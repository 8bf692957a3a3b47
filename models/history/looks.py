"""Looking at a record: an event of its own; where none can be written, it waits here and does not
shut out reading.
"""

import logging
from collections import deque
from threading import Lock
from typing import Any

from peewee import InternalError, OperationalError

from models.ground.clock import now
from models.ground.database import db, transaction
from models.ground.record import Base
from models.people.user import User

from .event import Event, Nothing, address

MOST = 10_000  # that wait in this process; then reading stops until they are written
catching = Lock()
# (verb, model (or Nothing), id of the record, id of the User, their address, when, detail)
WAITING: deque[tuple] = deque()
log = logging.getLogger("safeguarding")


def look(verb: str, record: Base | Nothing, by: User, **detail: Any) -> Event | None:
    """Write down that `by` looked at `record` (`verb` as in the vocabulary).

    A disk that is full or read-only takes no event. Then the log of the process has it at once, and
    the history as soon as the disk takes it, with the time of reading. Inside a transaction, where
    something is changed as well, and when too many wait, that is an error as ever.
    """
    try:
        catch_up()
        return Event.write(verb, record, by, **detail)
    except (OperationalError, InternalError):
        if db.in_transaction() or len(WAITING) >= MOST:
            raise
    moment = now()
    log.error(
        "not yet in the history: %s of %s %s by user %s at %s",
        verb,
        record.noun(),
        record.id,
        by.id,
        moment.isoformat(),
    )
    known = record if isinstance(record, Nothing) else type(record)
    WAITING.append((verb, known, record.id, by.id, address.get(), moment, detail))
    return None


def catch_up() -> None:
    """Write what waits, the first first, each with the time when it was read. Raises what the
    database raises, and then it all still waits.
    """
    if not WAITING or not catching.acquire(blocking=False):  # another thread is at it
        return
    try:
        waiting = list(WAITING)
        with transaction():
            for verb, model, id, person, place, moment, detail in waiting:
                token = address.set(place)
                try:
                    record = (
                        model if isinstance(model, Nothing) else model.get_or_none(model.id == id)
                    )
                    if record:  # else it is gone, and the log of the process has the line
                        Event.write(verb, record, User.get_by_id(person), read_at=moment, **detail)
                finally:
                    address.reset(token)
        for _written in waiting:
            WAITING.popleft()
    finally:
        catching.release()
