"""Several schools or homes in one installation; a role is given for one of them, or for all."""

from peewee import *


def up(migrator, db):
    class Setting(Model):
        version = IntegerField(default=1)
        name = CharField(unique=True, max_length=120)
        urn = CharField(max_length=20)
        address = TextField()
        telephone = CharField(max_length=40)
        retired = BooleanField()

        class Meta:
            database = db
            table_name = "setting"

    db.create_tables([Setting])
    for table in ("child", "incident", "user_role", "proposal"):
        db.execute_sql(
            f'ALTER TABLE "{table}" ADD COLUMN "setting_id" INTEGER '
            'REFERENCES "setting" ("id") ON DELETE RESTRICT'
        )
        db.execute_sql(f'CREATE INDEX "{table}_setting_id" ON "{table}" ("setting_id")')
    # the same role may be given for several
    db.execute_sql('DROP INDEX "userrole_user_id_role_id"')
    db.execute_sql(
        'CREATE UNIQUE INDEX "user_role_user_id_role_id_setting_id" '
        'ON "user_role" ("user_id", "role_id", "setting_id")'
    )
