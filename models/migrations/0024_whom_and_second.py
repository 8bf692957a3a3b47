"""To whom it was told in person, in a report and in one of a visitor; who approved a pack."""

from peewee import BooleanField, CharField, DateTimeField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("incident", "told_whom", CharField(max_length=200, null=True)),
        migrator.add_column("slip", "told_dsl", BooleanField(null=True)),
        migrator.add_column("slip", "told_whom", CharField(max_length=200, null=True)),
        migrator.add_column("slip", "told_dsl_at", DateTimeField(null=True)),
        migrator.add_column("pack", "status", CharField(max_length=20, null=True)),
        migrator.add_column("pack", "approved_at", DateTimeField(null=True)),
    )
    db.execute_sql(
        'ALTER TABLE "pack" ADD COLUMN "approved_by_id" INTEGER REFERENCES "user" ("id") '
        "ON DELETE RESTRICT"
    )
    db.execute_sql('CREATE INDEX "pack_approved_by_id" ON "pack" ("approved_by_id")')
