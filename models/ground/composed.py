"""Queries that pages ask again and again: written out as SQL at the first time, filled in at each.

Peewee composes a query anew each time it is asked, which takes several times as long as the
database takes to answer it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from peewee import Node

LONGEST = 20  # values of a list whose SQL is kept: of a longer one there would be too many


class Place:
    """Where a value goes in the SQL, and how it is written for the database."""

    def __init__(self, name, at, converter):
        self.name, self.at, self.converter = name, at, converter

    def fill(self, given):
        value = given[self.name] if self.at is None else given[self.name][self.at]
        return self.converter(value) if self.converter else getattr(value, "id", value)


class Given(Node):
    """What stands in a query for a value that is given when it is asked; `at`: its place in the
    list that is given.
    """

    def __init__(self, name, at=None):
        self.name, self.at = name, at

    def __sql__(self, ctx):
        return ctx.value(Place(self.name, self.at, ctx.state.converter), converter=False)


def places(name: int, number: int) -> "Given | list[Given]":
    """What stands for one argument: a list of `number` values, or one value where that is -1."""
    return Given(name) if number < 0 else [Given(name, at) for at in range(number)]


def composed(build: Callable[..., Any]) -> Callable[..., list[Any]]:
    """Decorate a function of a model that gives a query (put @classmethod above it): called, it
    gives the rows, as a list.

    It is asked once only how the query goes: each argument after the model stands for one value in
    it, or for as many as there are in it if it is a list, so it must not be looked at or be left
    out; and what changes, as now(), must be one.
    """
    known: dict[Any, tuple] = {}

    @wraps(build)
    def ask(model, *given):
        database = model._meta.database
        lists = tuple(len(one) if isinstance(one, list) else -1 for one in given)
        key = model, type(getattr(database, "obj", database)), lists
        if not (found := known.get(key)):
            query = build(model, *(places(name, number) for name, number in enumerate(lists)))
            found = query, *query.bind(database).sql()
            if max(lists, default=0) <= LONGEST:
                known[key] = found
        query, sql, values = found
        values = [one.fill(given) if isinstance(one, Place) else one for one in values]
        return list(query._get_cursor_wrapper(database.execute_sql(sql, values)))

    return ask
