"""What IT runs by hand: a new version, checking, backing up, bringing back, moving. Each ends with
a sentence, never a trace.
"""

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import click
from peewee import ImproperlyConfigured, PeeweeException

from admin_views.rails.trouble import first_cause
from models import (
    TABLES,
    Abbreviation,
    Choice,
    Document,
    Duty,
    Event,
    Profile,
    Refused,
    Role,
    Setting,
    db,
    transaction,
)
from models.case import shipped
from models.ground.database import Unsafe, connect
from models.ground.record import without_words
from models.ground.settings import settings
from models.shelf import absences, backup, copies, proof, roll
from models.shelf.copying import alone, copy_to, pending, upgrade


@contextmanager
def sentences():
    """A rule that says no ends a command with its sentence; what else goes wrong with its kind,
    never its text, which may quote a record.
    """
    try:
        yield
    except (Refused, Unsafe) as problem:
        raise click.ClickException(str(problem)) from None
    except (PeeweeException, sqlite3.Error) as problem:
        raise click.ClickException(
            f"The database could not be used: {kind(first_cause(problem))}."
        ) from None
    except OSError as problem:
        raise click.ClickException(
            f"{problem.strerror or problem}: {problem.filename or ''}"
        ) from None
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except Exception as problem:
        raise click.ClickException(
            f"Something went wrong on our side: {without_words(problem)}"
        ) from None


FIXED = tuple(
    f"SQLITE_{name}"
    for name in ("FULL", "IOERR", "BUSY", "LOCKED", "READONLY", "CANTOPEN", "CORRUPT", "NOTADB")
)


def kind(problem):
    """What kind of problem a database has: its own name for it, and its words only where they are
    always the same or no connection was made.
    """
    known = getattr(problem, "sqlite_errorname", None) or getattr(problem, "sqlstate", None) or ""
    unmade = (
        isinstance(problem, ImproperlyConfigured)
        or type(problem).__module__.startswith("psycopg")
        and not known
    )
    words = problem if unmade or known.startswith(FIXED) else ""
    return f"{type(problem).__name__} {known} {words}".strip()


@contextmanager
def opened(checked=True):
    """The real database, open; `checked`: Refused when its schema is not this version's."""
    os.umask(0o077)
    with sentences():
        if (
            checked
            and settings.database.startswith("sqlite")
            and not Path(urlsplit(settings.database).path[1:]).exists()
        ):
            raise Refused(
                f"There is no installation in {settings.folder}. Is SAFEGUARDING_DATA right? A "
                "new one begins with flask serve."
            )
        settings.folder.mkdir(parents=True, exist_ok=True)
        connect(settings.database).connect(reuse_if_open=True)
        try:
            if checked and pending():
                raise Refused(
                    f"The database at {settings.folder} is not there yet, or is of an earlier "
                    "version. Run flask migrate first."
                )
            yield
        finally:
            db.close()


def prepare(backed_up=False):
    """Open the database, bring it to this version's schema, and ship roles, lists and templates
    that are not there yet.
    """
    os.umask(0o077)  # what we write is for this account alone
    with alone():
        connect(settings.database)
        with db.connection_context():
            upgrade(backed_up)
            with transaction():
                if made := Role.ship():
                    Event.write("role:add", Role(name="the shipped roles"), None, also=made)
                Choice.ship()
                Profile.ship()
                Duty.ship()
                Abbreviation.ship()
                shipped.ship()
                Document.adopt()
                proof.adopt(TABLES)


@click.command("migrate")
@click.option(
    "--backed-up", is_flag=True, help="On PostgreSQL without pg_dump: you made a copy yourself."
)
def migrate_command(backed_up):
    """Bring the database to this version's schema, after a copy of it in the data folder."""
    with sentences():
        prepare(backed_up)
    click.echo("The database is up to date.")


@click.command("verify")
@click.argument(
    "paper", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--anchor",
    default="",
    help="The line “history N HASH” of a paper, a backup or a daily email, to be checked as well.",
)
def verify_command(paper, anchor):
    """Check that everything kept fits together, or whether a PDF is what was signed off; name the
    first thing that does not fit.
    """
    with opened():
        for line in (
            [copies.of_paper(paper.read_bytes())] if paper else proof.verify(TABLES, anchor)
        ):
            click.echo(line)


def locked_by(command):
    """Give a backup command its folder and what locks the keys: a key file, or a passphrase from
    the environment or the keyboard.
    """
    command = click.option(
        "--key-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File whose content locks the keys.",
    )(command)
    return click.argument(
        "folder", required=False, type=click.Path(file_okay=False, path_type=Path)
    )(command)


def place_and_secret(folder, key_file):
    key_file = key_file or settings.backup_key
    secret = (
        key_file.read_bytes()
        if key_file
        else os.environ.get("SAFEGUARDING_BACKUP_PASSPHRASE", "").encode()
    )
    if not (folder or settings.backups):
        raise click.UsageError("Name the folder of the backups, here or in SAFEGUARDING_BACKUPS.")
    if not secret:
        secret = click.prompt("Passphrase of the backup", hide_input=True).encode()
    if len(secret) < 12:
        raise click.UsageError("What locks the keys must have 12 characters or more.")
    return (folder or settings.backups).resolve(), secret  # type: ignore[union-attr]


@click.command("backup")
@locked_by
def backup_command(folder, key_file):
    """Back everything up into FOLDER while people work; keep 7 daily, 4 weekly and 12 monthly
    ones.
    """
    folder, secret = place_and_secret(folder, key_file)
    with opened():
        click.echo(f"Backed up, and read back whole: {backup.make(folder, secret, TABLES)}")


@click.command("restore")
@locked_by
def restore_command(folder, key_file):
    """Bring the newest backup in FOLDER (or the one it names) back onto an empty machine; emails
    are held until a Level 5 releases them.
    """
    folder, secret = place_and_secret(folder, key_file)
    with opened(checked=False):
        click.echo(f"Restored {backup.restore(folder, secret, TABLES)}.")
    with sentences():
        prepare()
    with opened():
        for line in proof.verify(TABLES):
            click.echo(line)
    click.echo(
        "Emails are held back: a Level 5 looks at them and releases them on the page History."
    )


@click.command("drill")
@locked_by
def drill_command(folder, key_file):
    """Prove that the newest backup in FOLDER can be restored: do it in a folder of its own, verify
    it there, and note that it was done.
    """
    folder, secret = place_and_secret(folder, key_file)
    with opened():
        for line in backup.drill(folder, secret, TABLES):
            click.echo(line)
    click.echo("The drill went well.")


def setting_called(home):
    """The school or home of this name; None where none is named."""
    setting = Setting.get_or_none(Setting.name == home) if home else None
    if home and not setting:
        raise click.ClickException(f"There is no school or home called {home}.")
    return setting


@click.command("children")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--sure",
    is_flag=True,
    help="Also where many children who are here get another name or date of birth.",
)
@click.option("--home", help="Whose list it is, by its name, where there are several.")
def children_command(file, sure, home):
    """Add and correct the children of a CSV list, as often as wanted; a row that cannot be taken is
    named, and the others are taken.
    """
    with opened():
        done, bad = roll.take(file.read_bytes(), sure=sure, setting=setting_called(home))
    for line in done + bad:
        click.echo(line)
    if bad:
        raise click.ClickException(f"Rows not taken: {len(bad)}. Nothing of them was saved.")


@click.command("absence")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--home", help="Whose list it is, by its name, where there are several.")
def absence_command(file, home):
    """Take in the absence and exclusion of a CSV list, as often as wanted; a row that cannot be
    taken is named, and the others are taken.
    """
    with opened():
        done, bad = absences.take(file.read_bytes(), setting=setting_called(home))
    for line in done + bad:
        click.echo(line)
    if bad:
        raise click.ClickException(f"Rows not taken: {len(bad)}. Nothing of them was saved.")


@click.command("copy-to")
@click.argument("url")
def copy_command(url):
    """Move everything to the empty database that URL names (postgresql://…), and prove by hashes
    that it is the same.
    """
    with opened():
        Event.write("event:copy", Event(), None)
        for table, digest in copy_to(url, TABLES).items():
            click.echo(f"{digest[:16]}  {table}")
    click.echo(
        "The same in both. Set DATABASE_URL to the new one and start again; the old one stays as "
        "it is."
    )


COMMANDS = (
    migrate_command,
    verify_command,
    backup_command,
    restore_command,
    drill_command,
    children_command,
    absence_command,
    copy_command,
)
