"""The forms of the fictional school, told like its stories: by the real steps, at past times.

models/demo_forms.toml has them. A form: its prefix, what it stands on, and its steps. A step: how
many days ago, who, the answers by the key of the question, and what is done then. An answer is
written as it is chosen or typed, with {school year} for the one that ended last, {year} for the
one that it is, and {term}; a rating as its number, a person by the part of the email before
the @, a child by its place in demo.toml, a day as in “-3 days”, a moment as in “-3 days 14:10”,
both counted from the step.
"""

import tomllib
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from models.case.choice import Choice
from models.case.figures import count
from models.case.incident import Incident
from models.case.submission import Submission
from models.case.task import Task
from models.case.template import ORGANISATION, Template, columns
from models.ground.clock import LONDON, now
from models.history.event import Event, plain
from models.policy import visible

TOLD = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
FIGURES = partial(count, visible=visible)
TERMS = ("Autumn", "Spring", "Summer")
BEFORE, AFTER = 650, 630  # days ago: when the case reviews were asked by 2023's edition, and not


def tell_forms(people, children, later):
    """Each form, step after step; before them the organisations that they choose from."""
    later(BEFORE + 1, 0, partial(list_organisations, people["alice"]))
    for days, name in ((BEFORE, TOLD["old_edition"]), (AFTER, TOLD["new_edition"])):
        later(days, 0, partial(put_in_force, name, people["alice"]))
    for number, told in enumerate(TOLD["form"]):
        case: dict[str, Any] = {"people": people, "children": children, "told": told}
        for order, step in enumerate(told["step"]):
            minutes = step.get("at", 180 + number) + order
            later(step["days"], minutes, partial(take_step, case, step))


def list_organisations(by):
    """The list of organisations, with one that became another."""
    for position, row in enumerate(TOLD["organisations"], 1):  # the successor first
        choice = Choice(list=ORGANISATION, position=position, **row)
        choice.check()
        choice.save()
        Event.write("choice:add", choice, by)


def put_in_force(name, by):
    """Choose the edition that is begun from now on."""
    template = Template.get(Template.name == name)
    changed = template.set(in_force=True)
    template.check()
    template.save()
    Event.write("template:edit", template, by, changed, also=template.takes_along())


def take_step(case, step):
    """One step of one form: the answers that are given, then what is done."""
    people, by = case["people"], case["people"][step["who"]]
    if "form" not in case:
        case["form"] = begin(case, by)
    form = Submission.get_by_id(case["form"].id)
    answer(form, step.get("answers", {}), case, by)
    match step.get("does"):
        case "submit":
            form.submit(by=by, figures=FIGURES)
        case "send back":
            form.send_back(step["reason"], by=by)
        case "sign":
            form.sign(by=by)
        case "name":
            until = now() + timedelta(days=step["until"])
            form.name(people[step["person"]], by, does="reviews", until=until)
        case "tasks":  # what came of its tasks, the first first; the others stay open
            rows = Task.select().where(Task.submission == form, Task.status == "open")
            for task, effect in zip(rows.order_by(Task.id), step["effects"], strict=False):
                task.done(effect=effect, by=task.owner)


def begin(case, by):
    """The form, begun on what it stands on."""
    told, people = case["told"], case["people"]
    stem = {
        "incident": told.get("incident") and Incident.get(Incident.topic == told["incident"]),
        "child": case["children"][told["child"]] if "child" in told else None,
        "about": people.get(told.get("about")),
        "about_name": told.get("about_name"),
    }
    template = Template.get(Template.in_force, Template.prefix == told["prefix"])
    return Submission.begin(template, by, **stem)


def answer(form, answers, case, by):
    """Fill in each section that has a question of `answers`. KeyError for a key that there is not,
    for that answer would be lost unseen.
    """
    left = dict(answers)
    for section in form.sections():
        asked = {one["key"]: one for one in section.questions if one.get("key") in left}
        if asked:
            given = {
                question["id"]: worth(question, left.pop(key), case)
                for key, question in asked.items()
            }
            form.fill_in(section, section.answers | given, by)
    if left:
        raise KeyError(f"{form}: {sorted(left)}")


def worth(question, value, case):
    """An answer as the record keeps it."""
    if question["kind"] != "table of rows":
        return cell(question["kind"], value, question["choices"], case)
    kinds = {one.name: one for one in columns(question)}
    return [
        {name: cell(kinds[name].kind, one, kinds[name].choices, case) for name, one in row.items()}
        for row in value
    ]


def cell(kind, value, choices, case):
    """A value of one kind, as the record keeps it."""
    match kind:
        case "person":
            return case["people"][value].label
        case "child":
            return case["children"][value].label
        case "number" | "money":
            return str(value)
        case "rating":
            return choices[value - 1]
        case "date" | "date and time":
            return plain(on(value) if isinstance(value, str) else value)
    if not isinstance(value, str):
        return value
    ended = now().year - (now().month < 8)
    began = now().year - (now().month < 9)
    term = TERMS[0 if now().month > 8 else 1 if now().month < 5 else 2]
    years = {"{school year}": ended - 1, "{year}": began}
    for name, first in years.items():
        value = value.replace(name, f"{first}/{(first + 1) % 100:02}")
    return value.replace("{term}", term)


def on(text):
    """The day, or moment, that so many days are from now."""
    days, _word, *hours = text.split()
    day = now().astimezone(LONDON).date() + timedelta(days=int(days))
    return (
        datetime.combine(day, time.fromisoformat(hours[0]), LONDON).astimezone(UTC)
        if hours
        else day
    )
