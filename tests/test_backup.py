"""Backups under load, broken ones, the way back onto an empty machine, and the rule by which they are kept."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from peewee import Database

from models import TABLES, Attachment, Child, Document, Event, Incident, Log, Notice, Refused, Session, User, backup, db, proof, upkeep
from models.base import at, connect, now
from models.copying import fingerprint
from models.settings import flush, settings

from . import engine
from .conftest import report, settle
from .faults import killed_at, small_disk, small_files
from .test_house_rules import HERE

FULL = re.compile("No space left|disk is full|disk I/O error|too large")
SECRET = b"correct-horse-battery-staple"


@pytest.fixture
def vault(school, tmp_path):
    """Where backups go; the installation has its key, as every real one has."""
    settings.secret("secret.key", lambda: b"k" * 64)
    return tmp_path / "backups"


@pytest.fixture
def elsewhere(school, tmp_path, fonts):
    """An empty machine: call it to move there; the real one is back afterwards."""
    folder = tmp_path / "elsewhere"

    def move():
        db.close()
        settle(folder, fonts)
        (folder / "fonts").unlink()
        db.connect()
        return folder

    yield move
    db.close()
    engine.current().drop(folder)
    settle(school.folder, fonts)
    db.connect()


def run(app, *args):
    """A command as IT types it; the key lies in a file."""
    key = settings.folder.parent / "key"
    key.write_bytes(SECRET)
    db.close()
    result = app.test_cli_runner().invoke(args=[*map(str, args), "--key-file", str(key)])
    db.connect(reuse_if_open=True)
    return result


def command(school, *args):
    """A command in a process of its own, beside the one at work."""
    environment = os.environ | {"SAFEGUARDING_DATA": str(school.folder), "DATABASE_URL": settings.database, "FLASK_APP": "app"}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "flask", *map(str, args)],
        cwd=HERE,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )


def test_a_backup_comes_back_on_an_empty_machine(app, school, signed, vault, elsewhere):
    school_key = settings.secret("secret.key", lambda: b"k" * 64)
    Session.begin(school.dave, "127.0.0.1", "Firefox")
    made = run(app, "backup", vault)
    assert made.exit_code == 0 and "read back whole" in made.output
    head = Event.select().where(Event.verb != "event:backup").order_by(Event.id.desc()).first()
    content = {name: digest for name, digest in fingerprint(TABLES).items() if name not in ("event", "session")}
    pdf = Document.get().content()

    folder = elsewhere()
    restored = run(app, "restore", vault)
    assert restored.exit_code == 0 and "all fit" in restored.output and "Emails are held back" in restored.output, restored.output
    assert {name: digest for name, digest in fingerprint(TABLES).items() if name not in ("event", "session")} == content
    assert Event.get_by_id(head.id).hash == head.hash and Event.latest("event:restore").id == head.id + 1
    assert (folder / "secret.key").read_bytes() == school_key and stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600
    assert "byte for byte" in proof.of_paper(pdf) and Attachment.get().read() == b"A note."
    assert not Session.select().where(Session.ended_at.is_null()).exists(), "nobody is signed in on the new machine"
    sent = []
    assert Notice.deliver(sent.append) == 0
    Notice.release(by=User.get(User.name == "Alice Brennan"))
    assert Notice.deliver(sent.append) == Notice.select().count() > 0
    report(SimpleNamespace(child=Child.get()), by=User.get_by_id(1))
    assert Incident.select().count() == 2, "work goes on"

    again = run(app, "restore", vault)
    assert again.exit_code == 1 and "already" in again.output and Incident.select().count() == 2


def test_a_backup_made_while_people_write_holds_a_moment_of_it(school, vault, elsewhere, tmp_path):
    stop, written, troubles = threading.Event(), [], []

    def write(number):
        try:
            with db.connection_context():
                while not stop.is_set():
                    incident = report(school, topic=f"{number}-{len(written)}")
                    Attachment.add(incident, school.dave, "n.txt", incident.reference.encode())
                    written.append(incident.reference)
        except Exception as problem:
            troubles.append(problem)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while len(written) < 20:
        pass
    before = set(written)
    (tmp_path / "key").write_bytes(SECRET)
    command(school, "backup", vault, "--key-file", tmp_path / "key")
    stop.set()
    for thread in threads:
        thread.join()
    assert not troubles
    assert list(proof.findings(TABLES))
    elsewhere()
    assert backup.restore(vault, SECRET, TABLES)
    there = {row.reference for row in Incident.select()}
    assert before <= there <= set(written) and list(proof.findings(TABLES)), "every acknowledged write from before is in it, whole"


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


def half_a_manifest(made):
    os.truncate(made / "manifest.json", 50)
    return "not a whole backup|changed after"


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
    assert b"BEGIN PRIVATE KEY" not in b"".join(path.read_bytes() for path in made.iterdir()), "keys leave locked only"
    elsewhere()
    with pytest.raises(Refused, match="do not open"):
        backup.restore(vault, b"another passphrase", TABLES)


def test_a_backup_that_cannot_be_whole_is_not_called_one(app, school, signed, vault):
    Attachment.get().path.unlink()
    failed = run(app, "backup", vault)
    assert failed.exit_code == 1 and "missing or damaged" in failed.output
    assert not list(vault.glob("*Z*")) and not Event.latest("event:backup")
    assert any("No backup has been made yet" in sentence for sentence in upkeep.warnings(now(), upkeep.latest()))


@pytest.mark.parametrize("disk", [small_disk, small_files])
def test_a_full_disk_leaves_no_half_backup(app, school, signed, vault, disk):
    with disk(vault, 300_000):
        failed = run(app, "backup", vault)
        assert failed.exit_code == 1 and FULL.search(failed.output), failed.output
        assert not list(vault.glob("*Z*")) and not Event.latest("event:backup")


def test_kept_by_the_rule_of_7_days_4_weeks_and_12_months():
    begin = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    nightly = {begin - timedelta(days=days) for days in range(800)}
    kept = backup.kept(nightly)
    assert {begin - timedelta(days=days) for days in range(7)} <= kept and max(nightly) in kept
    assert len({moment.strftime("%Y-%m") for moment in kept}) == 12 and len(kept) <= 7 + 4 + 12
    assert len({moment.strftime("%G-%V") for moment in kept if moment > begin - timedelta(days=28)}) >= 4
    assert backup.kept({begin}) == {begin}
    assert backup.kept({begin, begin + timedelta(hours=5)}) == {begin + timedelta(hours=5)}, "the newest of a day"


def test_older_backups_go_and_files_that_they_alone_needed(school, signed, vault):
    with at(now() - timedelta(days=900)):
        old = backup.make(vault, SECRET, TABLES)
    stray = vault / "attachments" / "ab" / ("ab" * 32)
    stray.parent.mkdir()
    stray.write_bytes(b"of a backup that is gone")
    for days in range(13, -1, -1):
        with at(now() - timedelta(days=days)):
            new = backup.make(vault, SECRET, TABLES)
    assert not stray.exists() and len(list(vault.glob("attachments/*/*"))) == 1
    assert old in set(backup.good(vault).values()), "nothing else is of its month"
    assert new.exists() and len(backup.good(vault)) < 13
    assert backup.examine(backup.newest(vault), SECRET, TABLES)


def test_a_drill_restores_elsewhere_and_says_so(app, cast, school, signed, vault):
    run(app, "backup", vault)
    before = Event.head().id
    done = run(app, "drill", vault)
    assert done.exit_code == 0 and "went well" in done.output and "all fit" in done.output, done.output
    assert Event.head().id == before + 1 and Event.latest("event:drill").detail["found"]
    assert Notice.held() is None and settings.folder == school.folder, "nothing else is touched"
    assert not [sentence for sentence in upkeep.warnings(now(), upkeep.latest()) if "backup" in sentence or "drill" in sentence]
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


def test_commands_say_what_they_lack(app, school, vault, monkeypatch):
    runner = app.test_cli_runner()
    monkeypatch.setenv("SAFEGUARDING_BACKUP_PASSPHRASE", "short")
    db.close()
    assert "12 characters or more" in runner.invoke(args=["backup", str(vault)]).output
    assert "Name the folder" in runner.invoke(args=["backup"]).output
    monkeypatch.setenv("SAFEGUARDING_BACKUP_PASSPHRASE", SECRET.decode())
    assert "There is no finished backup" in runner.invoke(args=["drill", str(vault)]).output
    assert "read back whole" in runner.invoke(args=["backup", str(vault)]).output
    connect(settings.database)
    db.connect()


def test_a_line_of_a_backup_anchors_the_history(school, signed, vault, monkeypatch):
    backup.make(vault, SECRET, TABLES)
    monkeypatch.setattr(settings, "backups", vault)
    assert list(proof.findings(TABLES))
    assert sum(where.startswith("backup ") for _number, _start, where in proof.anchors(backups=vault)) == 1


def test_the_newest_backup_is_broken_so_an_older_one_comes_back_and_backups_go_on(school, signed, vault, elsewhere, monkeypatch):
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


def test_a_restore_that_is_killed_can_be_done_again(school, signed, vault, elsewhere):
    waiting = Notice.select().where(Notice.status == "waiting").count()
    backup.make(vault, SECRET, TABLES)
    folder = elsewhere()
    killed, number = 0, 0
    while killed_at(number, lambda: backup.restore(vault, SECRET, TABLES)):
        killed, number = killed + 1, number + 7
        if not backup.empty(TABLES):
            assert Notice.held(), "as soon as there is anything, no email leaves"
            break
    assert killed > 3
    assert proof.findings(TABLES) and Notice.held() and Notice.select().where(Notice.status == "waiting").count() == waiting
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
    assert all(file.stat().st_mode & 0o777 in (0o600, 0o700) for file in folder.glob("safeguarding.db*"))


def test_a_backup_from_the_future_is_not_the_newest_for_ever(school, signed, vault):
    with at(now() + timedelta(days=8 * 365)):
        ahead = backup.make(vault, SECRET, TABLES)
    assert backup.newest(vault) == ahead, "better than none"
    made = backup.make(vault, SECRET, TABLES)
    with at(now() - timedelta(hours=1)):
        assert backup.newest(vault) == made, "by the clock of another machine, a little behind"
    assert backup.newest(vault) == made


def test_killed_while_an_old_one_is_removed_it_leaves_nothing_that_stays(school, signed, vault, monkeypatch):
    for days in range(9):
        with at(now() - timedelta(days=40 - days)):
            backup.make(vault, SECRET, TABLES)
    remove = shutil.rmtree

    def dying(path, *args, **kwargs):
        if str(path).startswith(str(vault)):
            (path / "manifest.json").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        remove(path, *args, **kwargs)

    monkeypatch.setattr(shutil, "rmtree", dying)
    assert killed_at(10**9, lambda: backup.make(vault, SECRET, TABLES))
    monkeypatch.undo()
    left = [path for path in vault.iterdir() if path.is_dir() and path.name != "attachments" and not (path / "manifest.json").exists()]
    assert left and all(path.suffix == ".part" for path in left)
    for path in left:
        os.utime(path, (0, 0))
    with at(now() + timedelta(minutes=1)):
        backup.make(vault, SECRET, TABLES)
    assert not any(path.exists() for path in left)


def test_a_restore_that_fails_leaves_the_machine_as_it_was(school, signed, vault, elsewhere, monkeypatch):
    backup.make(vault, SECRET, TABLES)
    folder = elsewhere()

    def full(path):
        if path.name == "restoring.db":
            raise OSError(28, "No space left on device")
        flush(path)

    monkeypatch.setattr(backup, "flush", full)
    with pytest.raises(OSError, match="No space left"):
        backup.restore(vault, SECRET, TABLES)
    assert not (folder / "secret.key").exists() and not list(folder.glob("restoring*")) and backup.empty(TABLES)
    monkeypatch.setattr(backup, "flush", flush)
    assert backup.restore(vault, SECRET, TABLES)


def test_nothing_is_restored_over_an_installation(school, signed, vault):
    backup.make(vault, SECRET, TABLES)
    before = fingerprint(TABLES)
    with pytest.raises(Refused, match="an installation here already"):
        backup.restore(vault, SECRET, TABLES)
    assert fingerprint(TABLES) == before


def test_a_backup_without_the_key_is_none(school, signed, vault):
    (school.folder / "secret.key").unlink()
    with pytest.raises(Refused, match="There is no secret.key"):
        backup.make(vault, SECRET, TABLES)
    assert not backup.good(vault)


def test_two_schools_do_not_share_a_folder(school, signed, vault):
    with at(now() - timedelta(days=1)):
        backup.make(vault, SECRET, TABLES)
    (school.folder / "signing.pem").unlink()  # another installation has another certificate
    with pytest.raises(Refused, match="another installation"):
        backup.make(vault, SECRET, TABLES)


def test_a_strange_folder_among_the_backups_disturbs_nothing(school, signed, vault, monkeypatch):
    (vault / "oldZ").mkdir(parents=True)
    (vault / "oldZ" / "manifest.json").write_text("{}")
    assert backup.make(vault, SECRET, TABLES) and len(backup.good(vault)) == 1
    monkeypatch.setattr(settings, "backups", vault)
    with pytest.raises(Refused, match="The manifest of backup oldZ cannot be read"):
        proof.findings(TABLES)


def test_a_manifest_that_cannot_be_read_stops_no_new_backup_and_no_file_is_removed(school, signed, vault):
    with at(now() - timedelta(days=1)):
        half_a_manifest(backup.make(vault, SECRET, TABLES))
    stray = vault / "attachments" / "ab" / ("ab" * 32)
    stray.parent.mkdir()
    stray.write_bytes(b"perhaps of the broken one")
    assert backup.make(vault, SECRET, TABLES) and stray.exists()
    assert backup.examine(backup.newest(vault), SECRET, TABLES)


def test_what_waits_after_a_restore_has_ids_of_its_own(school, signed, vault, elsewhere):
    backup.make(vault, SECRET, TABLES)
    report(school)
    Log.trigger(report(school, topic="Lost"), school.mark)
    lost = Notice.select().order_by(Notice.id.desc()).first()
    number, gone = lost.id, lost.message_id
    elsewhere()
    backup.restore(vault, SECRET, TABLES)
    while not Notice.get_or_none(Notice.id == number):
        Log.trigger(report(SimpleNamespace(child=Child.get()), by=User.get_by_id(1)), User.get(User.name == "Mark Kowalczyk"))
    assert Notice.get_by_id(number).message_id != gone, "a mail server that took the lost one does not drop the new one"


def test_records_lie_in_no_other_place_and_what_a_killed_process_left_goes(school, signed, vault, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    left, fresh = school.folder / "work-left", school.folder / "work-fresh"
    for folder in (left, fresh):
        folder.mkdir()
        (folder / "safeguarding.db").write_bytes(b"a copy")
    os.utime(left, (0, 0))
    backup.make(vault, SECRET, TABLES)
    backup.drill(vault, SECRET, TABLES)
    assert fresh.exists() and sorted(path.name for path in school.folder.glob("work-*")) == ["work-fresh"]
