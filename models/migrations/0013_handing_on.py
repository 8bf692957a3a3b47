"""Tasks with urgency, evidence and repeating; questions to reporters; thanks and corrections;
secret calendar addresses. Null in what there was: old rows stay as the history vouches for them.
"""

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

    class Addendum(Model):
        class Meta:
            database = db
            table_name = "addendum"

    class Clarification(Model):
        incident = ForeignKeyField(Incident, on_delete="RESTRICT")
        version = IntegerField(default=1)
        question = TextField()
        answer_by = DateField()
        status = CharField(max_length=20, index=True)
        asked_by = ForeignKeyField(User, on_delete="RESTRICT")
        asked_at = DateTimeField()
        addendum = ForeignKeyField(Addendum, null=True, on_delete="RESTRICT")

        class Meta:
            database = db
            table_name = "clarification"

    class Feedback(Model):
        version = IntegerField(default=1)
        incident = ForeignKeyField(Incident, on_delete="RESTRICT")
        kind = CharField(max_length=20)
        text = TextField()
        status = CharField(max_length=20, index=True)
        given_by = ForeignKeyField(User, on_delete="RESTRICT")
        given_at = DateTimeField()

        class Meta:
            database = db
            table_name = "feedback"

    class Calendar(Model):
        user = ForeignKeyField(User, on_delete="RESTRICT", unique=True)
        token = CharField(max_length=64, unique=True)
        made_at = DateTimeField()
        seen_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "calendar"

    db.create_tables([Clarification, Feedback, Calendar])
    migrator.migrate(
        migrator.add_column("task", "urgency", CharField(null=True, max_length=40)),
        migrator.add_column("task", "evidence", TextField(null=True)),
        migrator.add_column("task", "repeats", CharField(null=True, max_length=20)),
    )
