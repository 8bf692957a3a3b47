"""The way back onto an empty machine: from a good backup, a broken one, after a kill; and the
drill.
"""

import os
import shutil
import signal
import stat
from datetime import timedelta
from types import SimpleNamespace

import pytest
from peewee import Database

from models import (
    TABLES,
    Attachment,
    Child,
    Document,
    Event,
    Incident,
    Log,
    Notice,
    Refused,
    Session,
    User,
)
from models.ground.clock import at, now
from models.ground.settings import flush, settings
from models.shelf import backup, copies, proof, upkeep
from models.shelf.copying import fingerprint

from .conftest import SECRET, report, run
from .faults import killed_at
from .test_backup import half_a_manifest

pytestmark = pytest.mark.both


def test_a_backup_comes_back_on_an_empty_machine(app, school, signed, vault, elsewhere):
    school_key = settings.secret("secret.key", lambda: b"k" * 64)
    Session.begin(school.dave, "127.0.0.1", "Firefox")
    made = run(app, "backup", vault)
    assert made.exit_code == 0 and "read back whole" in made.output
    head = Event.select().where(Event.verb != "event:backup").order_by(Event.id.desc()).first()
    content = {
        name: digest
        for name, digest in fingerprint(TABLES).items()
        if name not in ("event", "session")
    }
    pdf = Document.get().content()

    folder = elsewhere()
    restored = run(app, "restore", vault)
    assert (
        restored.exit_code == 0
        and "all fit" in restored.output
        and "Emails are held back" in restored.output
    ), restored.output
    assert {
        name: digest
        for name, digest in fingerprint(TABLES).items()
        if name not in ("event", "session")
    } == content
    assert (
        Event.get_by_id(head.id).hash == head.hash
        and Event.latest("event:restore").id == head.id + 1
    )
    assert (folder / "secret.key").read_bytes() == school_key and stat.S_IMODE(
        (folder / "secret.key").stat().st_mode
    ) == 0o600
    assert "byte for byte" in copies.of_paper(pdf) and Attachment.get().read() == b"A note."
    assert not Session.select().where(Session.ended_at.is_null()).exists(), (
        "nobody is signed in on the new machine"
    )
    sent = []
    assert Notice.deliver(sent.append) == 0
    Notice.release(by=User.get(User.name == "Alice Brennan"))
    assert Notice.deliver(sent.append) == Notice.select().count() > 0
    report(SimpleNamespace(child=Child.get()), by=User.get_by_id(1))
    assert Incident.select().count() == 2, "work goes on"

    again = run(app, "restore", vault)
    assert again.exit_code == 1 and "already" in again.output and Incident.select().count() == 2


def truncate(made):
    os.truncate(made / "safeguarding.db", 30_000)
    return "not the one that was backed up"


def flip(made):
    with (made / "safeguarding.db").open("r+b") as file:
        file.seek(5_000)
        byte = file.read(1)
        file.seek(5_000)
        file.write(bytes([byte[0] ^ 1]))
    return "not the one that was backed up"


def lose_an_attachment(made):
    shutil.rmtree(made.parent / "attachments")
    return "missing from the backup"


def rewrite_the_manifest(made):
    manifest = made / "manifest.json"
    manifest.write_text(manifest.read_text().replace("Thornley", "Thornlea"))
    return "changed after the backup"


def lose_the_keys(made):
    (made / "keys.bin").unlink()
    return "not a whole backup"


@pytest.mark.parametrize("spoil", [truncate, flip, lose_an_attachment, rewrite_the_manifest, lose_the_keys, half_a_manifest], ids=lambda spoil: spoil.__name__)  # fmt: skip
def test_a_broken_backup_is_never_restored(school, signed, vault, elsewhere, spoil):
    made = backup.make(vault, SECRET, TABLES)
    expected = spoil(made)
    folder = elsewhere()
    with pytest.raises(Refused, match=expected):
        backup.restore(vault, SECRET, TABLES)
    assert not (folder / "secret.key").exists() and backup.empty(TABLES), "the machine is as it was"


def test_another_passphrase_opens_nothing(school, signed, vault, elsewhere):
    made = backup.make(vault, SECRET, TABLES)
    assert b"BEGIN PRIVATE KEY" not in b"".join(path.read_bytes() for path in made.iterdir()), (
        "keys leave locked only"
    )
    elsewhere()
    with pytest.raises(Refused, match="do not open"):
        backup.restore(vault, b"another passphrase", TABLES)


def test_the_newest_backup_is_broken_so_an_older_one_comes_back_and_backups_go_on(
    school, signed, vault, elsewhere, monkeypatch
):
    with at(now() - timedelta(days=2)):
        older = backup.make(vault, SECRET, TABLES)
    report(school, topic="Lost with the disk")
    with at(now() - timedelta(days=1)):
        lose = backup.make(vault, SECRET, TABLES)
    truncate(lose)
    elsewhere()
    monkeypatch.setattr(settings, "backups", vault)
    with pytest.raises(Refused, match="not the one that was backed up"):
        backup.restore(vault, SECRET, TABLES)
    assert backup.restore(older, SECRET, TABLES) == older.name
    for number in range(5):
        report(SimpleNamespace(child=Child.get()), by=User.get_by_id(1), topic=str(number))
    assert proof.findings(TABLES), "the line of a backup whose history ended does not count"
    assert backup.make(vault, SECRET, TABLES) and proof.findings(TABLES)


@pytest.mark.long
def test_a_restore_that_is_killed_can_be_done_again(school, signed, vault, elsewhere):
    waiting = Notice.select().where(Notice.status == "waiting").count()
    backup.make(vault, SECRET, TABLES)
    folder = elsewhere()
    killed, number = 0, 0
    while killed_at(number, lambda: backup.restore(vault, SECRET, TABLES)):
        killed, number = killed + 1, number + 23
        if not backup.empty(TABLES):
            assert Notice.held(), "as soon as there is anything, no email leaves"
            break
    assert killed > 3
    assert (
        proof.findings(TABLES)
        and Notice.held()
        and Notice.select().where(Notice.status == "waiting").count() == waiting
    )
    assert not list(folder.glob("restoring*"))


def test_what_a_killed_restore_left_is_not_played_into_the_next(school, signed, vault, elsewhere):
    """Its write-ahead log would be taken for that of the database that comes now."""
    with at(now() - timedelta(days=1)):
        older = backup.make(vault, SECRET, TABLES)
    report(school, topic="Only in the newer")
    newer, folder = backup.make(vault, SECRET, TABLES), elsewhere()

    def killed_late():
        execute = Database.execute_sql

        def late(self, sql, *args, **kwargs):
            if "journal_mode=delete" in sql or "setval" in sql:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(self, sql, *args, **kwargs)

        Database.execute_sql = late
        backup.restore(newer, SECRET, TABLES)

    assert killed_at(10**9, killed_late) and (folder / "restoring.db-wal").stat().st_size
    (older / "safeguarding.db").chmod(0o444)
    assert backup.restore(older, SECRET, TABLES) == older.name
    assert proof.findings(TABLES) and Incident.select().count() == 1
    assert all(
        file.stat().st_mode & 0o777 in (0o600, 0o700) for file in folder.glob("safeguarding.db*")
    )


def test_a_backup_from_the_future_is_not_the_newest_for_ever(school, signed, vault):
    with at(now() + timedelta(days=8 * 365)):
        ahead = backup.make(vault, SECRET, TABLES)
    assert backup.newest(vault) == ahead, "better than none"
    made = backup.make(vault, SECRET, TABLES)
    with at(now() - timedelta(hours=1)):
        assert backup.newest(vault) == made, "by the clock of another machine, a little behind"
    assert backup.newest(vault) == made


def test_a_restore_that_fails_leaves_the_machine_as_it_was(
    school, signed, vault, elsewhere, monkeypatch
):
    backup.make(vault, SECRET, TABLES)
    folder = elsewhere()

    def full(path):
        if path.name == "restoring.db":
            raise OSError(28, "No space left on device")
        flush(path)

    monkeypatch.setattr(backup, "flush", full)
    with pytest.raises(OSError, match="No space left"):
        backup.restore(vault, SECRET, TABLES)
    assert (
        not (folder / "secret.key").exists()
        and not list(folder.glob("restoring*"))
        and backup.empty(TABLES)
    )
    monkeypatch.setattr(backup, "flush", flush)
    assert backup.restore(vault, SECRET, TABLES)


def test_nothing_is_restored_over_an_installation(school, signed, vault):
    backup.make(vault, SECRET, TABLES)
    before = fingerprint(TABLES)
    with pytest.raises(Refused, match="an installation here already"):
        backup.restore(vault, SECRET, TABLES)
    assert fingerprint(TABLES) == before


def test_what_waits_after_a_restore_has_ids_of_its_own(school, signed, vault, elsewhere):
    backup.make(vault, SECRET, TABLES)
    report(school)
    Log.trigger(report(school, topic="Lost"), school.mark)
    lost = Notice.select().order_by(Notice.id.desc()).first()
    number, gone = lost.id, lost.message_id
    elsewhere()
    backup.restore(vault, SECRET, TABLES)
    while not Notice.get_or_none(Notice.id == number):
        Log.trigger(
            report(SimpleNamespace(child=Child.get()), by=User.get_by_id(1)),
            User.get(User.name == "Mark Kowalczyk"),
        )
    assert Notice.get_by_id(number).message_id != gone, (
        "a mail server that took the lost one does not drop the new one"
    )


def test_a_drill_restores_elsewhere_and_says_so(app, cast, school, signed, vault):
    run(app, "backup", vault)
    before = Event.head().id
    done = run(app, "drill", vault)
    assert done.exit_code == 0 and "went well" in done.output and "all fit" in done.output, (
        done.output
    )
    assert Event.head().id == before + 1 and Event.latest("event:drill").detail["found"]
    assert Notice.held() is None and settings.folder == school.folder, "nothing else is touched"
    assert not [
        sentence
        for sentence in upkeep.warnings(now(), upkeep.latest())
        if "backup" in sentence or "drill" in sentence
    ]
    with at(now() + timedelta(days=3)):
        page = cast.ira.get("/")
    assert page.status_code in (200, 302)
    late = list(upkeep.warnings(now() + timedelta(days=101), upkeep.latest()))
    assert any("last good backup is from" in sentence for sentence in late) and any(
        "restore drill is from" in sentence for sentence in late
    )
    truncate(backup.newest(vault))
    before = Event.head().id
    assert run(app, "drill", vault).exit_code == 1 and Event.head().id == before
