"""Any form is data: what templates of forms say, who may what with them, and the forms begun."""

from peewee import *


def up(migrator, db):
    def known(name):
        meta = type("Meta", (), {"database": db, "table_name": name})
        return type(name.capitalize(), (Model,), {"Meta": meta})

    User, Role, Setting = known("user"), known("role"), known("setting")
    Incident, Child, Template = known("incident"), known("child"), known("template")

    class Right(Model):
        version = IntegerField(default=1)
        template = ForeignKeyField(Template, on_delete="RESTRICT")
        role = ForeignKeyField(Role, on_delete="RESTRICT")
        does = CharField(max_length=20)
        position = IntegerField()

        class Meta:
            database = db
            table_name = "right"
            indexes = ((("template", "does", "role"), True), (("role", "does"), False))

    class Submission(Model):
        version = IntegerField(default=1)
        incident = ForeignKeyField(Incident, null=True, on_delete="RESTRICT")
        reference = CharField(unique=True, max_length=20)
        status = CharField(max_length=20, index=True)
        template = ForeignKeyField(Template, on_delete="RESTRICT")
        child = ForeignKeyField(Child, null=True, on_delete="RESTRICT")
        about = ForeignKeyField(User, null=True, on_delete="RESTRICT")
        about_name = CharField(null=True, max_length=160)
        setting = ForeignKeyField(Setting, null=True, on_delete="RESTRICT")
        begun_by = ForeignKeyField(User, on_delete="RESTRICT")
        begun_at = DateTimeField(index=True)
        submitted_at = DateTimeField(null=True)
        turn = IntegerField()

        class Meta:
            database = db
            table_name = "submission"

    class SubmissionSection(Model):
        version = IntegerField(default=1)
        position = IntegerField()
        title = CharField(max_length=120)
        help = TextField()
        restricted = BooleanField()
        questions = JSONField()
        answers = JSONField()
        saved_by = ForeignKeyField(User, null=True, on_delete="RESTRICT")
        saved_at = DateTimeField(null=True)
        shows = CharField(max_length=40, null=True)
        submission = ForeignKeyField(Submission, on_delete="RESTRICT")
        after = BooleanField(null=True)

        class Meta:
            database = db
            table_name = "submission_section"

    class Signature(Model):
        version = IntegerField(default=1)
        submission = ForeignKeyField(Submission, on_delete="RESTRICT")
        role = ForeignKeyField(Role, on_delete="RESTRICT")
        by = ForeignKeyField(User, on_delete="RESTRICT")
        at = DateTimeField()
        turn = IntegerField()

        class Meta:
            database = db
            table_name = "signature"

    class Reader(Model):
        version = IntegerField(default=1)
        submission = ForeignKeyField(Submission, on_delete="RESTRICT")
        user = ForeignKeyField(User, on_delete="RESTRICT")
        does = CharField(max_length=20)
        until = DateTimeField(null=True)
        by = ForeignKeyField(User, on_delete="RESTRICT")
        at = DateTimeField()
        ended_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "reader"

    class Listed(Model):
        version = IntegerField(default=1)
        submission = ForeignKeyField(Submission, on_delete="RESTRICT")
        key = CharField(max_length=40)
        value = CharField(max_length=200)

        class Meta:
            database = db
            table_name = "listed"
            indexes = ((("submission", "key"), False), (("key", "value"), False))

    class Enclosure(Model):
        version = IntegerField(default=1)
        submission = ForeignKeyField(Submission, on_delete="RESTRICT")
        question = CharField(max_length=20)
        name = CharField(max_length=200)
        kind = CharField(max_length=80)
        size = IntegerField()
        sha256 = CharField(max_length=64)
        by = ForeignKeyField(User, on_delete="RESTRICT")
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "enclosure"

    db.create_tables([Right, Submission, SubmissionSection, Signature, Reader, Listed, Enclosure])
    texts = ("basis", "source", "notice", "news")
    short = {"stands_on": 20, "prefix": 5, "edition": 40, "heading": 60, "how_many": 20}
    short |= {"repeats": 20, "headline": 200}
    more = [("template", name, TextField(null=True)) for name in texts]
    more += [("template", name, CharField(null=True, max_length=n)) for name, n in short.items()]
    more += [("template", "due_days", IntegerField(null=True))]
    more += [("template_section", "after", BooleanField(null=True))]
    for name in ("for_review", "public", "makes_tasks"):
        more.append(("question", name, BooleanField(null=True)))
    for name, most in {"key": 40, "listed": 40, "within": 80}.items():
        more.append(("question", name, CharField(null=True, max_length=most)))
    more += [("choice", name, DateField(null=True)) for name in ("since", "until")]
    more += [("choice", "successor", CharField(null=True, max_length=120))]
    migrator.migrate(*(migrator.add_column(*one) for one in more))
    db.execute_sql(
        'ALTER TABLE "task" ADD COLUMN "submission_id" INTEGER '
        'REFERENCES "submission" ("id") ON DELETE RESTRICT'
    )
    db.execute_sql('CREATE INDEX "task_submission_id" ON "task" ("submission_id")')
    migrator.migrate(migrator.drop_not_null("task", "incident_id"))
