"""Faults, injected for real: a process that dies at a chosen statement, a disk of a few kilobytes,
a mail server with a will of its own.
"""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from peewee import Database

from models import TABLES, Incident, Log, Tracker, db
from models.ground.database import connect
from models.ground.keeps import triggers
from models.ground.settings import settings
from models.shelf import proof

from . import engine


def whole():
    """The invariant after any fault: everything that verify looks at fits, and no step is half
    done.
    """
    found = list(proof.findings(TABLES))
    for incident in Incident.select():
        assert (incident.status == "triggered") == Log.select().where(
            Log.incident == incident
        ).exists(), incident
    for log in Log.select():
        begun = Tracker.select().where(Tracker.log == log).exists()
        assert begun if log.status == "tracking" else log.status == "completed" or not begun, log
    return found


@contextmanager
def small_files(folder, size):
    """Within the block no file of this process may grow past a quarter of `size` bytes, wherever it
    lies. Gives a function that makes room.
    """
    import resource

    folder.mkdir(exist_ok=True)
    before, heard = (
        resource.getrlimit(resource.RLIMIT_FSIZE),
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 4, before[1]))
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heard)


@contextmanager
def small_disk(folder, size):
    """Within the block `folder` lies on a disk of `size` bytes: a file system of its own where we
    may mount one, else small_files.
    """
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if (
        sys.platform != "linux"
        or os.geteuid()
        or subprocess.run(mount, capture_output=True).returncode
    ):
        with small_files(folder, size) as make_room:
            yield make_room
        return
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=20m", folder], check=True)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def killed_at(number, act):
    """Run `act()` in a process that is killed (SIGKILL) as it reaches its `number`th statement.
    Returns whether it was; else `act` is done.
    """
    db.close()
    child = os.fork()
    if not child:
        try:
            connect(settings.database).connect()
            execute, left = Database.execute_sql, [number]

            def counted(*args, **kwargs):  # whichever database it opens
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return execute(*args, **kwargs)

            Database.execute_sql = counted
            act()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    _pid, status = os.waitpid(child, 0)
    connect(settings.database).connect(reuse_if_open=True)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the step itself failed"
    return os.WIFSIGNALED(status)


class PostOffice:
    """A mail server that keeps what it takes, and does with each letter what `moods` says next: ok,
    full, refused, busy, drop.
    """

    def __init__(self):
        self.letters, self.moods, self.addresses = [], [], {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        if answer := self.addresses.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mood = self.moods.pop(0) if self.moods else "ok"
        if mood in ("ok", "drop"):
            self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        if mood == "drop":  # taken, but the line breaks before anybody is told so
            server.transport.abort()
        return {
            "full": "452 Mailbox full",
            "refused": "554 No",
            "busy": "451 Greylisted, come again",
        }.get(mood, "250 OK")

    @property
    def ids(self):
        return [letter["Message-ID"] for letter in self.letters]


@contextmanager
def post_office(app):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    handler = PostOffice()
    server = Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    mail = app.extensions["mailman"]
    before = mail.server, mail.port, mail.backend
    mail.server, mail.port, mail.backend = "127.0.0.1", port, "smtp"
    try:
        yield handler
    finally:
        mail.server, mail.port, mail.backend = before
        server.stop()


def untie(*tables):
    """What somebody with the database in hand does first: the refusals of these tables go, of all
    where none is named.
    """
    for name, table in triggers(db.obj):
        if not tables or table in tables:
            engine.current().remove_trigger(table, name)


@contextmanager
def read_only(folder):
    """Within the block `folder`, which nobody has open, takes no change: mounted read-only where we
    may mount, else by its permissions.

    A reader has the database open all the while, as a server that was running has. Gives a function
    that makes it writable again.
    """
    below, files = folder, lambda: [folder, *folder.glob("safeguarding.db*")]
    mounted = (
        sys.platform == "linux"
        and not os.geteuid()
        and not subprocess.run(["mount", "--bind", folder, folder], capture_output=True).returncode
    )
    if mounted:
        below = folder.with_name("below")
        below.mkdir()
        subprocess.run(["mount", "--bind", folder, below], check=True)
    with closing(sqlite3.connect(below / "safeguarding.db")) as reader:
        reader.execute("SELECT COUNT(*) FROM event").fetchone()
        if mounted:
            subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
            again = ["mount", "-o", "remount,bind,rw", folder]
        else:
            for file in files():
                file.chmod(0o555)
        try:
            yield (
                lambda: (
                    subprocess.run(again, check=True)
                    if mounted
                    else [file.chmod(0o755) for file in files()]
                )
            )
        finally:
            if mounted:
                for place in (below, folder):
                    subprocess.run(["umount", "--lazy", place], check=True)
            else:
                for file in files():
                    file.chmod(0o755)


def fill(folder):
    """Take all that is left of a small disk (see small_disk). Returns a function that gives it
    back.
    """
    import resource

    if not folder.is_mount():
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    file = folder / "full"
    with file.open("wb", buffering=0) as out, suppress(OSError):
        while out.write(b"x" * 4096):
            pass
    return file.unlink
