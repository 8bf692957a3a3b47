"""Policies that staff are to read, in editions; for whom they are, and who has read which."""

from peewee import *


def up(migrator, db):
    def known(name):
        meta = type("Meta", (), {"database": db, "table_name": name})
        return type(name.capitalize(), (Model,), {"Meta": meta})

    User, Setting, Role = known("user"), known("setting"), known("role")

    class PolicyDocument(Model):
        version = IntegerField(default=1)
        status = CharField(max_length=20)
        title = CharField(max_length=160)
        edition = CharField(max_length=60)
        changed = TextField()
        place = TextField()
        text = TextField()
        due_on = DateField()
        setting = ForeignKeyField(Setting, null=True, on_delete="RESTRICT")
        supersedes = ForeignKeyField("self", null=True, unique=True, on_delete="RESTRICT")
        published_by = ForeignKeyField(User, on_delete="RESTRICT")
        published_at = DateTimeField()

        class Meta:
            database = db
            table_name = "policy_document"

    class PolicyReader(Model):
        document = ForeignKeyField(PolicyDocument, on_delete="RESTRICT")
        role = ForeignKeyField(Role, on_delete="RESTRICT")

        class Meta:
            database = db
            table_name = "policy_reader"
            indexes = ((("document", "role"), True),)

    class Acknowledgement(Model):
        document = ForeignKeyField(PolicyDocument, on_delete="RESTRICT")
        user = ForeignKeyField(User, on_delete="RESTRICT")
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "acknowledgement"
            indexes = ((("document", "user"), True),)

    db.create_tables([PolicyDocument, PolicyReader, Acknowledgement])
