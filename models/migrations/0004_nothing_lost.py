"""Nothing lost: receipts of forms, payloads that a retention decision may empty, and search on
PostgreSQL as on SQLite.
"""
from peewee import *

FIXED = ["id", "at", "by_id", "verb", "subject", "record", "incident", "digest", "previous", "hash"]


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = 'user'

    class Receipt(Model):
        token = CharField(max_length=64)
        user = ForeignKeyField(User, on_delete='RESTRICT')
        content = CharField(max_length=64)
        path = CharField(max_length=300)
        at = DateTimeField()
        class Meta:
            database = db
            table_name = 'receipt'
            indexes = ((('user', 'token', 'content'), True),)
    db.create_tables([Receipt])

    columns = ", ".join(f'"{name}"' for name in FIXED)
    if db.__class__.__name__ == "SqliteDatabase":
        db.execute_sql("DROP TRIGGER event_update_refused")
        refuse = "BEGIN SELECT RAISE(ABORT, 'event: this never changes'); END"
        db.execute_sql(f"CREATE TRIGGER event_update_refused BEFORE UPDATE OF {columns} ON event "
                       f"{refuse}")
        db.execute_sql("CREATE TRIGGER event_payload_refused BEFORE UPDATE OF payload ON event "
                       f"WHEN NEW.payload <> '' {refuse}")
        for table in KEPT:  # REPLACE INTO deletes without asking the triggers of DELETE
            db.execute_sql(f"""CREATE TRIGGER {table}_replace_refused BEFORE INSERT ON "{table}" WHEN EXISTS (SELECT 1 FROM "{table}" WHERE id = NEW.id)
                BEGIN SELECT RAISE(ABORT, '{table}: nothing is replaced'); END""")
        return
    db.execute_sql("DROP TRIGGER event_update_refused ON event")
    refuse = "EXECUTE FUNCTION refuse('event: this never changes')"
    db.execute_sql(f"CREATE TRIGGER event_update_refused BEFORE UPDATE OF {columns} ON event FOR "
                   f"EACH ROW {refuse}")
    db.execute_sql("CREATE TRIGGER event_payload_refused BEFORE UPDATE OF payload ON event FOR "
                   f"EACH ROW WHEN (NEW.payload <> '') {refuse}")
    for table in KEPT:
        db.execute_sql(f'CREATE TRIGGER {table}_truncate_refused BEFORE TRUNCATE ON "{table}" EXECUTE FUNCTION refuse(\'{table}: nothing is deleted\')')
    known = {row[0] for row in db.execute_sql("SELECT collname FROM pg_collation")}
    # that know Ж from ж
    rules = next((f'COLLATE "{name}"' for name in ("pg_c_utf8", "und-x-icu", "C.utf8") if name in known), "")
    db.execute_sql(rf"""CREATE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT regexp_replace(
        replace(translate(lower(normalize($1, NFKD) {rules}), 'łøŁØ', 'lolo'), 'ß', 'ss'), '[\u0300-\u036f]', '', 'g') $$""")


KEPT = ["addendum", "assignee", "attachment", "child", "choice", "document", "emergency", "event", "flag", "incident", "involved", "log", "notice",
        "proposal", "question", "role", "section", "share", "template", "template_section", "tracker", "user"]
