"""Queries that pages ask again and again: written out as SQL at the first time, filled in at each.

Peewee composes a query anew each time it is asked, which takes several times as long as the
database takes to answer it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from peewee import Node


class Place:
    """Where a value goes in the SQL, and how it is written for the database."""

    def __init__(self, name, converter):
        self.name, self.converter = name, converter

    def fill(self, given):
        value = given[self.name]
        return self.converter(value) if self.converter else getattr(value, "id", value)


class Given(Node):
    """What stands in a query for a value that is given when it is asked."""

    def __init__(self, name):
        self.name = name

    def __sql__(self, ctx):
        return ctx.value(Place(self.name, ctx.state.converter), converter=False)


def composed(build: Callable[..., Any]) -> Callable[..., list[Any]]:
    """Decorate a function of a model that gives a query (put @classmethod above it): called, it
    gives the rows, as a list.

    It is asked once only how the query goes: each argument after the model stands for one value in
    it, so it must not be looked at, be a list, or be left out; and what changes, as now(), must be
    one.
    """
    known: dict[Any, tuple] = {}

    @wraps(build)
    def ask(model, *given):
        database = model._meta.database
        key = model, type(getattr(database, "obj", database)), len(given)
        if key not in known:
            query = build(model, *(Given(name) for name in range(len(given))))
            known[key] = query, *query.bind(database).sql()
        query, sql, values = known[key]
        values = [one.fill(given) if isinstance(one, Place) else one for one in values]
        return list(query._get_cursor_wrapper(database.execute_sql(sql, values)))

    return ask
