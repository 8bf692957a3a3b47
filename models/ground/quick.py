"""Peewee writes the name of each column of each query anew, in a dozen calls: up to a sixth of what
a page costs. Here it is written in one, to the same effect.
"""

from peewee import SCOPE_VALUES, Column, Table

plain = Column.__sql__


def column_sql(column, ctx):
    """What Column.__sql__ writes, for a column of a table in a query; for all else, that itself."""
    table = column.source
    if type(table) is not Table or table._alias or ctx.scope == SCOPE_VALUES:
        return plain(column, ctx)
    quote = (ctx.state.quote or '""')[0]
    name = ctx.alias_manager[table]
    return ctx.literal(f"{quote}{name}{quote}.{quote}{column.name}{quote}")


def install():
    Column.__sql__ = column_sql
