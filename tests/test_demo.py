"""The fictional school is what was promised, and its command serves it."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from models import (
    TABLES,
    Assignee,
    Child,
    Document,
    Event,
    Incident,
    Log,
    Notice,
    Section,
    User,
    demo,
)
from models.ground.clock import now
from models.shelf import proof

HERE = Path(__file__).parent.parent


def test_the_school_is_believable(demo_school):
    assert (
        Child.select().count() >= 15
        and Incident.select().count() == 52
        and len({c.name for c in Child.select()}) == len(demo.CHILDREN)
    )
    assert {incident.status for incident in Incident.select()} == {
        "no alert",
        "to decide",
        "not notifiable",
        "triggered",
    }
    assert {log.status for log in Log.select()} == {"open", "tracking", "completed"}
    assert {notice.status for notice in Notice.select()} == {"sent", "waiting"}
    assert {section.status for section in Section.select()} == {
        "not started",
        "in progress",
        "complete",
    }
    span = max(i.reported_at for i in Incident.select()) - min(
        i.reported_at for i in Incident.select()
    )
    assert span.days > 600 and all(event.at <= now() for event in Event.select()), (
        "two school years, none of them ahead"
    )
    told = [
        event.at
        for event in Event.select()
        .where(
            Event.verb.not_in(
                [
                    "template:add",
                    "choice:add",
                    "role:add",
                    "event:adopt",
                    "profile:add",
                    "duty:add",
                    "abbreviation:add",
                ]
            )
        )
        .order_by(Event.id)
    ]
    assert told == sorted(told), "told in the order it happened"
    assert proof.history(TABLES) == Event.select().count() > 250
    assert (
        Document.select().count() >= 7
        and Assignee.select().where(Assignee.by.is_null(False)).count() > 5
    )
    assert {user.email for user in User.select()} == {email for email, *_rest in demo.PEOPLE}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(address, process):
    for _attempt in range(300):
        assert process.poll() is None, process.stdout.read()
        try:
            return urllib.request.urlopen(f"{address}/login").read().decode()
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"nothing answers at {address}")


def test_the_command_serves_it_and_keeps_what_was_entered(tmp_path):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "PORT": str(port),
        "SAFEGUARDING_DATA": str(tmp_path),
        "PYTHONUNBUFFERED": "1",
        "FLASK_APP": "app",
    }
    stamp = None
    for _start in range(2):
        with subprocess.Popen(
            [sys.executable, "-m", "flask", "demo"],
            cwd=HERE,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            page = wait_for(address, process)
            process.terminate()
            printed = process.stdout.read()
        assert "This is a demonstration" in page and address in printed
        for email, name, _title, role in demo.PEOPLE:
            assert re.search(rf"{name} +{role} +{email} +{demo.PASSWORD}", printed), printed
        assert stamp in (None, (tmp_path / "demo" / "secret.key").read_text()), (
            "the second start keeps the school"
        )
        stamp = (tmp_path / "demo" / "secret.key").read_text()
    assert "Building the school" not in printed
    assert (tmp_path / "demo" / "secret.key").stat().st_mode & 0o77 == 0


@pytest.mark.long
def test_two_started_at_once_in_an_empty_folder(tmp_path):
    """One builds and serves; the other says that the port is used. On another port it waits, and
    serves the same school.
    """
    ports = [free_port()] * 2 + [free_port()]
    known = os.environ | {
        "SAFEGUARDING_DATA": str(tmp_path),
        "PYTHONUNBUFFERED": "1",
        "FLASK_APP": "app",
    }
    command = [sys.executable, "-m", "flask", "demo"]
    started = [subprocess.Popen(command, cwd=HERE, env=known | {"PORT": str(port)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for port in ports]  # fmt: skip
    try:
        while all(process.poll() is None for process in started[:2]):
            time.sleep(0.05)
        loser = started[0] if started[0].poll() is not None else started[1]
        serving = [process for process in started if process is not loser]
        said = loser.communicate()[0]
        assert (
            loser.returncode == 1
            and f"Port {ports[0]} is used by another program" in said
            and "Building" not in said
        )
        pages = [
            wait_for(f"http://127.0.0.1:{port}", process)
            for port, process in zip((ports[0], ports[2]), serving, strict=True)
        ]
        assert all("This is a demonstration" in page for page in pages)
    finally:
        for process in started:
            process.terminate()
    printed = [process.communicate()[0] for process in serving]
    assert sum("Building the school" in text for text in printed) == 1 and all(
        "Alice" in text for text in printed
    )
    assert "Traceback" not in "".join(printed)


def test_every_record_of_the_school_opens(demo_school):
    from .person import Person

    alice = Person(demo_school, User.get(User.email == "alice@demo.example")).sign_in(demo.PASSWORD)
    for noun, model, door in (
        ("incident", Incident, "details"),
        ("log", Log, "details"),
        ("section", Section, "edit"),
        ("notice", Notice, "details"),
    ):
        for row in model.select(model.id).where(
            (Notice.user == alice.user) if model is Notice else model.id > 0
        ):
            assert alice.get(f"/{noun}/{door}/?id={row.id}").status_code == 200, f"{noun} {row.id}"
