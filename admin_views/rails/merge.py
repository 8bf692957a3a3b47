"""Two savers of one record: what each changed, and what both did."""

import json
from datetime import datetime
from hashlib import sha256

from peewee import Model
from wtforms import SelectMultipleField

from models.ground.words import when
from models.history.event import plain


def mark(value):
    """A short digest of what a field holds, by which it is seen whether somebody changed it.

    Nothing is nothing, however it is written; a time is what a form shows of it; two of one name
    are two.
    """
    if isinstance(value, Model):
        value = value.id
    elif isinstance(value, datetime):
        value = when(value)
    value = None if value in (None, "", []) else plain(value)
    if isinstance(value, list) and not isinstance(value[0], dict):
        value = sorted(map(str, value))
    return sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:10]


def marks(form):
    """What the record held when the form was opened, in one line that the form carries."""
    return " ".join(f"{name}:{mark(field.object_data)}" for name, field in form._fields.items())


def merge(form, opened):
    """Give each field that its writer left alone what is saved now; returns the fields that
    somebody else changed meanwhile.

    Those that both changed have `theirs`, what is saved now in words. `opened`: the marks that the
    form carried; "" when it is not known.
    """
    opened, news = dict(pair.rsplit(":", 1) for pair in opened.split() if ":" in pair), []
    for name, field in form._fields.items():
        mine, saved, before = mark(field.data), mark(field.object_data), opened.get(name)
        if mine == saved:
            field.data = field.object_data  # to the second, and in the order that it has
        if saved in (mine, before):
            continue
        news.append(field)
        if mine == before:
            field.data, field.raw_data = field.object_data, None
        elif isinstance(field, SelectMultipleField):
            labels = {choice.value: choice.label for choice in field.choices}
            field.theirs = [labels.get(one) or one for one in field.object_data or []]
        else:
            field.theirs = getattr(field.object_data, "label", field.object_data)
    return news
