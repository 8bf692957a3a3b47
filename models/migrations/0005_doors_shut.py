"""Doors that shut when somebody forgets: the code of an approval, and what only a Level 5 may do,
for the roles that there are.
"""
from peewee import *

NEW = ("incident:clear_adult", "attachment:read_original", "proposal:new_code")


def up(migrator, db):
    migrator.migrate(
        migrator.add_column('proposal', 'code', CharField(null=True, max_length=64)),
        migrator.add_column('proposal', 'tries', IntegerField(null=True)),
    )
    mark = '?' if db.__class__.__name__ == 'SqliteDatabase' else '%s'
    for id, permissions in db.execute_sql('SELECT id, permissions FROM role WHERE level = 5').fetchall():
        more = [permissions, *(verb for verb in NEW if verb not in permissions.split('\n'))]
        db.execute_sql(f'UPDATE role SET permissions = {mark} WHERE id = {mark}', ('\n'.join(more), id))
