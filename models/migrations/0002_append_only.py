"""What the database itself refuses: deleting any record, changing history, evidence, a submitted
incident or a completed log.
"""

KEPT = ["addendum", "assignee", "attachment", "child", "choice", "document", "event", "flag", "incident", "involved", "log", "notice",
        "question", "role", "section", "template", "template_section", "tracker", "user"]
FIXED = ["addendum", "attachment", "event", "involved"]
SUBMITTED = ["reference", "reported_by_id", "reported_at", "child_id", "other_adults", "noticed_at", "happened", "happened_at", "place", "place_detail",
             "known", "what_happened", "child_words", "questions_asked", "wishes", "opinion", "injuries", "immediate_danger", "immediate_action", "told_dsl",
             "told_dsl_at", "parents_told", "parents_why", "intervention", "safeguarding_alert", "topic"]


def refuse(db, table, event, sentence, when=""):
    name = f"{table}_{event.split()[0].lower()}_refused"
    if db.__class__.__name__ == "SqliteDatabase":
        db.execute_sql(f"""CREATE TRIGGER {name} BEFORE {event} ON "{table}" {when} BEGIN SELECT RAISE(ABORT, '{sentence}'); END""")
    else:
        db.execute_sql(f"""CREATE TRIGGER {name} BEFORE {event} ON "{table}" FOR EACH ROW {when} EXECUTE FUNCTION refuse('{sentence}')""")


def up(migrator, db):
    if db.__class__.__name__ != "SqliteDatabase":
        db.execute_sql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                       "RAISE EXCEPTION '%%', TG_ARGV[0]; END $$")
    for table in KEPT:
        refuse(db, table, "DELETE", f"{table}: nothing is deleted")
    for table in FIXED:
        refuse(db, table, "UPDATE", f"{table}: this never changes")
    columns = ", ".join(f'"{column}"' for column in SUBMITTED)
    refuse(db, "incident", f"UPDATE OF {columns}", "incident: what was submitted never changes")
    refuse(db, "document", "UPDATE", "document: a kept copy never changes", "WHEN (OLD.pdf IS NOT NULL)")
    refuse(db, "log", "UPDATE", "log: completed is read-only", "WHEN (OLD.status = 'completed' "
                                                               "AND NEW.status = 'completed')")
