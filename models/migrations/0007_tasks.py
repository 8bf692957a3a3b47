"""Tasks; and drafts of new forms each have a place of their own."""

from peewee import *


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Incident(Model):
        class Meta:
            database = db
            table_name = "incident"

    class Task(Model):
        incident = ForeignKeyField(Incident, on_delete="RESTRICT")
        version = IntegerField(default=1)
        what = TextField()
        owner = ForeignKeyField(User, on_delete="RESTRICT")
        due_on = DateField()
        status = CharField(max_length=20, index=True)
        given_by = ForeignKeyField(User, backref="given", on_delete="RESTRICT")
        given_at = DateTimeField()
        effect = TextField(null=True)

        class Meta:
            database = db
            table_name = "task"

    db.create_tables([Task])
    db.execute_sql("UPDATE draft SET path = path || '?draft=kept' WHERE substr(path, length(path) - 4) = '/new/'")
