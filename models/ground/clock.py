"""The time, which tests and the demonstration may set."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
_clock: ContextVar[datetime | None] = ContextVar("clock", default=None)


def now() -> datetime:
    """The time, UTC, aware, whole seconds; or the time set by `at`."""
    return _clock.get() or datetime.now(UTC).replace(microsecond=0)


def today() -> date:
    """The day it is in Britain."""
    return now().astimezone(LONDON).date()


@contextmanager
def at(moment: datetime) -> Iterator[datetime]:
    """Within the block `now()` is `moment` (aware). For the demonstration school and for tests."""
    token = _clock.set(moment.astimezone(UTC))
    try:
        yield moment
    finally:
        _clock.reset(token)
