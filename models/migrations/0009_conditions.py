"""What a question follows from, and what a section shows besides its questions. Null in what there
was: old rows stay as the history vouches for them.
"""

from peewee import *

REFERENCE = "INTEGER REFERENCES question (id) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED"


def up(migrator, db):
    # in SQL, for the migrator cannot say when the reference is to be checked
    db.execute_sql(f"ALTER TABLE question ADD COLUMN depends_on_id {REFERENCE}")
    migrator.migrate(
        migrator.add_index("question", ("depends_on_id",)),
        migrator.add_column("question", "depends_answer", TextField(null=True)),
        migrator.add_column("template_section", "shows", CharField(null=True, max_length=40)),
        migrator.add_column("section", "shows", CharField(null=True, max_length=40)),
    )
