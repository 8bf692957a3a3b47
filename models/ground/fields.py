"""Our kinds of column: what is stored, and what is read back."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from peewee import BooleanField, CharField, DateField, DateTimeField, JSONField, TextField

from .database import DAMAGED

LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)


class Moment(DateTimeField):
    """A point in time: stored in UTC, read back aware in UTC, shown in Europe/London."""

    def db_value(self, value):
        return super().db_value(
            value.astimezone(UTC).replace(tzinfo=None) if value and value.tzinfo else value
        )

    def python_value(self, value):
        if isinstance(value, str):  # from SQLite; Peewee tries one format after another
            with suppress(ValueError):
                return datetime.fromisoformat(value).replace(tzinfo=UTC)
        value = super().python_value(value)
        return LONG_AGO if isinstance(value, str) else value.replace(tzinfo=UTC) if value else None


class Day(DateField):
    """A date; of somebody's birth, where `born`: read as one that is past; `ahead`: read as one
    that is still to come; `roughly`: a month or a year may be typed in its place, as a Span.
    """

    def __init__(self, born=False, ahead=False, roughly=False, **kwargs):
        super().__init__(**kwargs)
        self.born, self.ahead, self.roughly = born, ahead, roughly

    def python_value(self, value):
        value = super().python_value(value)
        return LONG_AGO.date() if isinstance(value, str) else value


class Strings(TextField):
    """A list of short strings, one line each."""

    def db_value(self, value):
        return None if value is None else "\n".join(value)

    def python_value(self, value):
        return value.split("\n") if value else []


class Pick(CharField):
    """One of a list: `of` names an editable list (models/lists.toml), `fixed` is a list that the
    rules know.
    """

    def __init__(self, of=None, fixed=(), **kwargs):
        super().__init__(**kwargs)
        self.of, self.fixed = of, fixed


class YesNo(BooleanField):
    """A question with the answers Yes and No and, when null, not answered."""


def careful(text: str) -> Any:
    """JSON read; what is damaged as {DAMAGED: text}, so that no page breaks, and nothing is taken
    for empty.
    """
    try:
        return json.loads(text)
    except ValueError:
        return {DAMAGED: text}


class Json(JSONField):
    """What JSON can hold."""

    def __init__(self, **kwargs):
        super().__init__(loads=careful, **kwargs)


class Rows(Json):
    """A small table: a list of dicts with the keys of `columns` ({key: label, or (label,
    options)}).
    """

    def __init__(self, columns=None, **kwargs):
        super().__init__(**kwargs)
        self.columns = columns or {}

    def python_value(self, value):
        value = super().python_value(value)
        if isinstance(value, dict):  # one row that says so, wherever rows are shown
            first, *_others, last = self.columns
            return [{first: DAMAGED, last: value.get(DAMAGED, "")}]
        return value
