"""Several processes answer as one: one dies and nobody notices, fifty save at once, all end together,
and what each keeps in its memory does no harm to the others.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest

import server
from models import Child, Event, Incident, User, db
from models.access import signin
from models.ground import database
from models.ground.board import Board
from models.ground.clock import now
from models.ground.settings import settings

from . import soak
from .bench.peer import Browser, together
from .conftest import ANSWERS, settle
from .faults import whole
from .person import PASSWORD, code_of
from .test_house_rules import HERE


def children(pid):
    """The processes that `pid` started, in the order of their start."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:
        return [int(one) for one in listed.read().split()]


def three(running):
    """The processes of a Server once they are all there: the port listens before they do."""
    for _attempt in range(200):
        if len(found := children(running.process.pid)) == 3:
            return found
        time.sleep(0.1)
    raise AssertionError(f"one that delivers and two that answer, not {found}")


def gone(pids):
    """Whether all of these processes have ended, or do so within some seconds."""
    for _attempt in range(200):
        if not any(os.path.exists(f"/proc/{pid}") for pid in pids):
            return True
        time.sleep(0.05)
    return False


@contextmanager
def served(folder, monkeypatch):
    """A school of its own, served by two processes: (the app, the Server)."""
    monkeypatch.setenv("SAFEGUARDING_PROCESSES", "2")
    app, _users, _label = soak.school(folder)
    running = soak.Server(soak.free_port())
    running.start()
    three(running)
    try:
        yield app, running
    finally:
        if running.process.poll() is None:
            running.process.terminate()
            running.process.wait()


@pytest.fixture
def back(school):
    """Afterwards the school of the test is open again."""
    db.close()
    yield
    settle(school.folder)
    db.connect(reuse_if_open=True)


def signed_in(app, port):
    """A manager at a browser, and the token that her forms carry."""
    with db.connection_context():
        mei = User.get(User.email == "manager4@bad-day.example")
    browser = Browser(port)
    token = browser.token("/login")
    browser.ask("/login", {"email": mei.email, "password": PASSWORD, "csrf_token": token})
    code = {"code": code_of(app, mei), "csrf_token": browser.token("/tf-validate")}
    browser.ask("/tf-validate", code)
    return browser, browser.token("/incident/new/")


def test_one_that_dies_is_started_again_and_all_end_together(tmp_path, monkeypatch, back):
    with served(tmp_path / "served", monkeypatch) as (_app, running):
        deliverer, *answering = three(running)
        for victim in (answering[0], deliverer):
            with suppress(ProcessLookupError):  # the deliverer begins anew after the daily check
                os.kill(victim, signal.SIGKILL)
            for _request in range(20):
                with Browser(running.port) as browser:
                    assert browser.ask("/login")[0] == 200, "the other one answers"
            assert gone([victim])
        now_there = three(running)
        assert answering[1] in now_there and not {answering[0], deliverer} & set(now_there)
        running.process.terminate()
        assert running.process.wait(20) == 0 and gone(now_there), "told to end, all do"

    running.start()
    left = three(running)
    running.kill()
    assert gone(left), "killed, it leaves nobody behind on the port"


def test_fifty_people_save_in_two_processes_and_nothing_is_lost(tmp_path, monkeypatch, back):
    with served(tmp_path / "served", monkeypatch) as (app, running):
        clerk, token = signed_in(app, running.port)
        with clerk, db.connection_context():
            label = Child.get().label
        answers = []

        def save(number):
            sent = ANSWERS | {"child": label, "topic": f"At once {number}", "once": str(number)}
            with Browser(running.port, dict(clerk.cookies)) as browser:
                answers.append(browser.ask("/incident/new/", sent | {"csrf_token": token})[0])

        together(50, save)
        assert answers == [302] * 50
        with db.connection_context():
            assert Incident.select().count() == 50 and whole()
            assert sorted(event.id for event in Event.select(Event.id)) == list(
                range(1, Event.select().count() + 1)
            ), "one chain"


def test_writers_of_two_processes_take_turns(school, monkeypatch):
    """One that comes again and again lets the other in each time: SQLite alone would not."""
    db.close()
    order = settings.folder / "order"

    def write(name, times):
        for _turn in range(times):
            with database.in_turn(), order.open("a") as out:
                out.write(name)
                time.sleep(0.02)

    other = os.fork()
    if not other:
        write("b", 20)
        os._exit(0)
    write("a", 20)
    os.waitpid(other, 0)
    found = order.read_text()
    both = found[min(found.index("a"), found.index("b")) + 1 :]
    while both and len(set(both)) > 1 and both[-1] == both[-2]:
        both = both[:-1]  # one of them was through earlier
    last = max(both.rfind("a"), both.rfind("b"))
    assert found.count("a") == found.count("b") == 20
    longest = max(len(run) for one in "ab" for run in both[:last].split("ba"[one == "b"]))
    assert longest <= 4, f"nobody waits for more than a turn or two: {found}"


def test_a_writer_that_never_ends_is_told_of_in_the_other_process(school, monkeypatch):
    monkeypatch.setattr(database, "WAIT", 0.3)
    inside, leave = os.pipe(), os.pipe()
    other = os.fork()
    if not other:
        with database.in_turn():
            os.write(inside[1], b"x")
            os.read(leave[0], 1)
        os._exit(0)
    os.read(inside[0], 1)
    with pytest.raises(database.OperationalError, match="locked"), database.in_turn():
        pass
    os.write(leave[1], b"x")
    os.waitpid(other, 0)
    with database.in_turn():
        assert not database.writers.acquire(blocking=False), "and then it is this one's turn"


def test_when_somebody_was_last_seen_is_known_in_every_process(school):
    """A disk that takes nothing notes no time: the process that saw her tells the others."""
    board, moment = Board(), now()
    signin.SEEN[7] = moment - timedelta(minutes=1)
    other = os.fork()
    if not other:
        board[5], board[5 + 4096] = moment, moment
        signin.SEEN[7] = moment
        os._exit(0)
    os.waitpid(other, 0)
    assert signin.SEEN.get(7) == moment and board.get(5 + 4096) == moment
    assert board.get(5) is None and board.get(6, "never") == "never", "one slot, the later one"
    assert board.pop(5 + 4096) == moment and board.get(5 + 4096) is None


def test_how_many_answer(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for said, expected in ((None, 2), (1, 1), (3, 3)):
        monkeypatch.setattr(settings, "processes", said)
        assert server.processes() == expected
    monkeypatch.setattr(settings, "processes", None)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert server.processes() == 1
    monkeypatch.delattr(os, "fork")
    monkeypatch.setattr(settings, "processes", "3")
    assert server.processes() == 1, "on Windows"


def test_each_process_writes_what_it_noted_of_reading(school, app, monkeypatch):
    import app as application
    from models.history import looks

    caught = threading.Event()
    monkeypatch.setattr(looks, "catch_up", caught.set)
    thread = threading.Thread(target=application.catch_up_for_ever, args=(app, caught.is_set))
    thread.start()
    assert caught.wait(5)
    thread.join()  # or it would write into the school of another test


def test_what_makes_papers_and_pictures_is_loaded_when_it_is_first_used():
    """It would be a fifth of the memory that each process has."""
    asked = "import sys, app; print(*{name.partition('.')[0] for name in sys.modules})"
    known = {"PATH": os.environ["PATH"]}
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", asked],
        cwd=HERE, env=known, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = set(found.stdout.split())
    assert "flask_admin" in loaded
    late = {"pypdf", "reportlab", "xhtml2pdf", "fontTools", "uharfbuzz", "icalendar"}
    assert not late & loaded, "import it in the function that needs it"
