"""Triage, cases, the people around a child; who is shut out of what, as a view."""

from peewee import *

SHUT_OUT = """
CREATE VIEW shut_out AS
WITH direct AS NOT MATERIALIZED (
  SELECT named.adult_id AS user_id, named.incident_id AS incident_id FROM involved AS named
  WHERE named.part = 'The concern is about this adult' AND named.adult_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM involved AS later WHERE later.incident_id = named.incident_id AND later.adult_id = named.adult_id
    AND later.id > named.id AND later.part = 'Named by mistake: the concern is not about this adult')
  UNION ALL
  SELECT relation.user_id, incident.id FROM relation JOIN incident ON incident.child_id = relation.child_id
  WHERE relation.user_id IS NOT NULL AND relation.ended_at IS NULL
  UNION ALL
  SELECT relation.user_id, linked.incident_id FROM relation JOIN involved AS linked ON linked.child_id = relation.child_id
  WHERE relation.user_id IS NOT NULL AND relation.ended_at IS NULL
  AND linked.part <> 'Linked by mistake: the incident is not about this child' AND NOT EXISTS (
    SELECT 1 FROM involved AS later WHERE later.incident_id = linked.incident_id AND later.child_id = linked.child_id
    AND later.id > linked.id AND later.part = 'Linked by mistake: the incident is not about this child')
)
SELECT user_id AS "user", incident_id AS incident FROM direct
UNION ALL
SELECT direct.user_id, other.incident_id FROM direct
JOIN link AS mine ON mine.incident_id = direct.incident_id AND mine.ended_at IS NULL
JOIN link AS other ON other.case_id = mine.case_id AND other.ended_at IS NULL
"""


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Child(Model):
        class Meta:
            database = db
            table_name = "child"

    class Incident(Model):
        class Meta:
            database = db
            table_name = "incident"

    class Relation(Model):
        version = IntegerField(default=1)
        child = ForeignKeyField(Child, backref="a", on_delete="RESTRICT")
        kind = CharField(max_length=60)
        name = CharField(null=True, max_length=120)
        other = ForeignKeyField(Child, null=True, backref="b", on_delete="RESTRICT")
        user = ForeignKeyField(User, null=True, backref="c", on_delete="RESTRICT")
        responsible = BooleanField(null=True)
        household = BooleanField(null=True)
        reached = TextField(null=True)
        added_at = DateTimeField()
        ended_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "relation"

    class Case(Model):
        incident = ForeignKeyField(Incident, on_delete="RESTRICT")
        version = IntegerField(default=1)
        reference = CharField(unique=True, max_length=20)
        status = CharField(max_length=20, index=True)
        adult = CharField(null=True, max_length=120)
        opened_by = ForeignKeyField(User, backref="d", on_delete="RESTRICT")
        opened_at = DateTimeField()
        lead = ForeignKeyField(User, null=True, backref="e", on_delete="RESTRICT")
        deputy = ForeignKeyField(User, null=True, backref="f", on_delete="RESTRICT")
        monitor_until = DateField(null=True)
        child_told = CharField(null=True)
        child_told_why = TextField(null=True)
        parents_told = CharField(null=True)
        parents_why = TextField(null=True)
        risk_reviewed_on = DateField(null=True)
        outcome = TextField(null=True)

        class Meta:
            database = db
            table_name = "case"

    class Link(Model):
        incident = ForeignKeyField(Incident, on_delete="RESTRICT")
        version = IntegerField(default=1)
        case = ForeignKeyField(Case, on_delete="RESTRICT")
        by = ForeignKeyField(User, on_delete="RESTRICT")
        at = DateTimeField()
        reason = TextField(null=True)
        ended_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "link"

    class Triage(Model):
        incident = ForeignKeyField(Incident, on_delete="RESTRICT")
        version = IntegerField(default=1)
        by = ForeignKeyField(User, on_delete="RESTRICT")
        at = DateTimeField()
        case = ForeignKeyField(Case, null=True, on_delete="RESTRICT")
        risk = CharField()
        urgency = CharField()
        threshold = CharField()
        decision = CharField()
        review_on = DateField(null=True)
        rationale = TextField()
        not_referred = TextField(null=True)

        class Meta:
            database = db
            table_name = "triage"

    class Category(Model):
        incident = ForeignKeyField(Incident, on_delete="RESTRICT")
        version = IntegerField(default=1)
        triage = ForeignKeyField(Triage, on_delete="RESTRICT")
        child = ForeignKeyField(Child, on_delete="RESTRICT")
        part = CharField(max_length=60)
        category = CharField(max_length=120)

        class Meta:
            database = db
            table_name = "category"

    db.create_tables([Relation, Case, Link, Triage, Category])
    db.execute_sql('ALTER TABLE "incident" ADD COLUMN "stage" VARCHAR(20)')
    db.execute_sql('CREATE INDEX "incident_stage" ON "incident" ("stage")')
    db.execute_sql(SHUT_OUT)
