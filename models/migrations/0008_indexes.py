"""Indexes by which the list of incidents is filtered in the order in which it is read."""

from peewee import *


def up(migrator, db):
    migrator.migrate(
        migrator.add_index("incident", ("status", "reported_at")),
        migrator.add_index("incident", ("place", "status", "reported_at")),
        migrator.drop_index("incident", "incident_status"),
    )
