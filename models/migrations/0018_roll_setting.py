"""Of which school or home a list of children is."""


def up(migrator, db):
    db.execute_sql(
        'ALTER TABLE "roll" ADD COLUMN "setting_id" INTEGER '
        'REFERENCES "setting" ("id") ON DELETE RESTRICT'
    )
    db.execute_sql('CREATE INDEX "roll_setting_id" ON "roll" ("setting_id")')
