"""Backups: made under load, whole or not called one, and kept by a rule."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta

import pytest

from models import TABLES, Attachment, Event, Incident, Refused, db
from models.ground.clock import at, now
from models.ground.database import connect
from models.ground.settings import settings
from models.shelf import backup, proof, upkeep

from .conftest import SECRET, report, run
from .faults import killed_at, small_disk, small_files
from .test_house_rules import HERE

FULL = re.compile("No space left|disk is full|disk I/O error|too large")


def command(school, *args):
    """A command in a process of its own, beside the one at work."""
    environment = os.environ | {
        "SAFEGUARDING_DATA": str(school.folder),
        "DATABASE_URL": settings.database,
        "FLASK_APP": "app",
    }
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "flask", *map(str, args)],
        cwd=HERE,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )


@pytest.mark.long
@pytest.mark.both
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
    assert before <= there <= set(written) and list(proof.findings(TABLES)), (
        "every acknowledged write from before is in it, whole"
    )


@pytest.mark.both
def test_a_backup_that_cannot_be_whole_is_not_called_one(app, school, signed, vault):
    Attachment.get().path.unlink()
    failed = run(app, "backup", vault)
    assert failed.exit_code == 1 and "missing or damaged" in failed.output
    assert not list(vault.glob("*Z*")) and not Event.latest("event:backup")
    assert any(
        "No backup has been made yet" in sentence
        for sentence in upkeep.warnings(now(), upkeep.latest())
    )


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
    assert (
        len({moment.strftime("%G-%V") for moment in kept if moment > begin - timedelta(days=28)})
        >= 4
    )
    assert backup.kept({begin}) == {begin}
    assert backup.kept({begin, begin + timedelta(hours=5)}) == {begin + timedelta(hours=5)}, (
        "the newest of a day"
    )


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


@pytest.mark.both
def test_a_line_of_a_backup_anchors_the_history(school, signed, vault, monkeypatch):
    backup.make(vault, SECRET, TABLES)
    monkeypatch.setattr(settings, "backups", vault)
    assert list(proof.findings(TABLES))
    assert (
        sum(where.startswith("backup ") for _number, _start, where in proof.anchors(backups=vault))
        == 1
    )


def test_killed_while_an_old_one_is_removed_it_leaves_nothing_that_stays(
    school, signed, vault, monkeypatch
):
    long_ago = now() - timedelta(days=40)
    if (long_ago + timedelta(days=2)).weekday() == 6:  # the one to go would stand for its week
        long_ago -= timedelta(days=1)
    for days in range(9):
        with at(long_ago + timedelta(days=days)):
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
    left = [
        path
        for path in vault.iterdir()
        if path.is_dir() and path.name != "attachments" and not (path / "manifest.json").exists()
    ]
    assert left and all(path.suffix == ".part" for path in left)
    for path in left:
        os.utime(path, (0, 0))
    with at(now() + timedelta(minutes=1)):
        backup.make(vault, SECRET, TABLES)
    assert not any(path.exists() for path in left)


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


def half_a_manifest(made):
    os.truncate(made / "manifest.json", 50)
    return "not a whole backup|changed after"


def test_a_manifest_that_cannot_be_read_stops_no_new_backup_and_no_file_is_removed(
    school, signed, vault
):
    with at(now() - timedelta(days=1)):
        half_a_manifest(backup.make(vault, SECRET, TABLES))
    stray = vault / "attachments" / "ab" / ("ab" * 32)
    stray.parent.mkdir()
    stray.write_bytes(b"perhaps of the broken one")
    assert backup.make(vault, SECRET, TABLES) and stray.exists()
    assert backup.examine(backup.newest(vault), SECRET, TABLES)


def test_records_lie_in_no_other_place_and_what_a_killed_process_left_goes(
    school, signed, vault, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    left, fresh = school.folder / "work-left", school.folder / "work-fresh"
    for folder in (left, fresh):
        folder.mkdir()
        (folder / "safeguarding.db").write_bytes(b"a copy")
    os.utime(left, (0, 0))
    backup.make(vault, SECRET, TABLES)
    backup.drill(vault, SECRET, TABLES)
    assert fresh.exists() and sorted(path.name for path in school.folder.glob("work-*")) == [
        "work-fresh"
    ]
