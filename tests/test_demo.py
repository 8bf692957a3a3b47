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
from peewee import IntegrityError

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
    Submission,
    SubmissionSection,
    Task,
    Template,
    User,
    demo,
)
from models.case.asked import EMPTY
from models.case.template import columns
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


# a form of each group, and how each kind stands: {prefix: [status]} in the order they were begun
FORMS = {
    "AUD": ["complete", "returned"],
    "SCR": ["complete", "complete", "open", "complete", "open"],
    "LLC": ["complete", "submitted", "submitted"],
    "LADO": ["complete"],
    "ADM": ["complete"],
    "RES": ["complete"],
    "MIS": ["complete"],
    "VIS": ["complete"],
    "ANX": ["open"],
    "COC": ["complete"],
    "RA": ["complete"],
    "CV": ["complete", "open"],
    "MASH": ["complete"],
    "QC": ["complete", "complete"],
    "TR": ["complete"],
    "LES": ["complete", "complete", "open"],
}


def forms(prefix):
    """The forms of one kind, in the order they were begun."""
    rows = Submission.select(Submission, Template).join(Template).where(Template.prefix == prefix)
    return list(rows.order_by(Submission.begun_at, Submission.id))


def said(form):
    """{key: answer} of a form, with its restricted sections."""
    return {key: answer for key, (_question, answer) in form.by_key(restricted=True).items()}


def test_each_group_of_forms_is_told(demo_school):
    assert {prefix: [form.status for form in forms(prefix)] for prefix in FORMS} == FORMS
    assert sum(map(len, FORMS.values())) == Submission.select().count()

    last, this = forms("AUD")
    assert [one.by.email.split("@")[0] for one in last.signatures()] == ["alice", "bob", "ngozi"]
    assert "visit_found" in said(last) and said(last)["lead_overdue"] and last.for_public()
    assert not last.named_in_public()
    assert Task.select().where(Task.submission == last, Task.status == "done").count() == 14
    returned = Event.get(Event.verb == "submission:send_back", Event.record == this.id)
    assert returned.by.email == "ngozi@demo.example" and "no evidence yet" in returned.payload

    reviews = forms("SCR")
    assert [form.template.edition for form in reviews] == ["2023"] + ["July 2024"] * 4
    for key, least in (("status", 3), ("review_type", 4), ("stage", 4), ("organisation", 3)):
        assert len({said(form)[key] for form in reviews}) >= least, key
    assert reviews[0].not_asked() and not reviews[1].not_asked()

    own, second, allegation = forms("LLC")
    assert own.about == own.begun_by == second.about and said(own)["outcome_why"]
    assert allegation.about is None and "Osei-Lind" in said(allegation)["lado_who"]

    (restraint,) = forms("RES")
    clocks = [clock for one in restraint.sections() for clock in one.clocks().values()]
    assert len(clocks) == 3 and not any(late for _due, late in clocks)
    assert said(forms("MIS")[0])["rhi_accepted"] == "Yes"


def test_every_answer_of_a_form_is_one_that_could_be_given(demo_school):
    """Chosen from its list; people and children by the label by which a form names them."""
    people = {user.label for user in User.select()}
    children = {child.label for child in Child.select()}

    def fits(kind, value, choices):
        if kind in ("one of a list", "rating", "organisation", "several of a list"):
            return set(value if isinstance(value, list) else [value]) <= set(choices)
        if kind in ("number", "money"):
            return bool(re.fullmatch(r"\d+(\.\d+)?", value))
        if kind == "yes/no":
            return isinstance(value, bool) or value in ("Yes", "No")
        named = {"person": people, "child": children}
        return value in named[kind] if kind in named else isinstance(value, str)

    given = 0
    for section in SubmissionSection.select():
        for question in section.questions:
            answer = section.answers.get(question["id"])
            if answer in EMPTY:
                continue
            given += 1
            if question["kind"] == "table of rows":
                kinds = {one.name: one for one in columns(question)}
                for row in answer:
                    for name, cell in row.items():
                        wrong = f"{section}: {name}: {cell}"
                        assert fits(kinds[name].kind, cell, kinds[name].choices or ()), wrong
            else:
                wrong = f"{section}: {question['text']}: {answer}"
                assert fits(question["kind"], answer, question["choices"]), wrong
    assert given > 500


def test_the_school_is_told_once_and_all_of_it_fits(demo_school):
    told = [(form.template_id, form.headline, form.whom) for form in Submission.select()]
    assert len(told) == len(set(told))
    before = Event.select().count()
    with pytest.raises(IntegrityError):
        demo.build("not again")
    assert (Event.select().count(), len(told)) == (before, Submission.select().count())
    assert proof.history(TABLES) == before and proof.references(TABLES) and proof.files()


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
