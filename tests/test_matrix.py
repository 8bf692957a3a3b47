"""Every route × every role × GET and POST, against what is written here. A route that is missing
fails, with the cure.
"""

import re
from pathlib import Path

import pytest

from models import Log, Template, db

from .person import Person

WRITTEN = Path(__file__).with_name("matrix.txt")
WHO = ["stranger", "ira", "grace", "dave", "connor", "carol", "mark", "bob", "alice"]
ROW = re.compile(r"(GET|POST)\s+(\S+)\s+(\S{9})\s*$")


def written():
    return {
        (found[1], found[2]): found[3]
        for found in map(ROW.match, WRITTEN.read_text(encoding="utf-8").splitlines())
        if found
    }


def code(answer):
    """One letter for an answer: see the head of matrix.txt."""
    if answer.status_code == 302:
        return "L" if "/login" in answer.headers["Location"] else "3"
    return {200: "2", 403: "F", 404: "N", 400: "B", 409: "R", 422: "I", 405: "M", 503: "U"}[
        answer.status_code
    ]


def address(rule, method, case):
    noun = rule.split("/")[1].replace("-", "_") or "home"
    path = (
        rule.replace("<export_type>", "csv")
        .replace("<path:filename>", "style.css")
        .replace("<token>", "x")
    )
    if rule == "/submission/new/":
        risk = Template.get(Template.prefix == "RA")
        return f"{path}?template={risk.id}&incident={case['incident']}"
    if rule == "/enclosure/new/":
        return f"{path}?submission={case['submission']}"
    if rule in ("/submission/figures/", "/template/toml/"):
        return f"{path}?kind=RA&id=1"
    if rule.endswith("/new/"):
        return f"{path}?template=1&section=1&incident={case['incident']}&child=1&line=entry-{case['entry']}"
    if rule == "/log/copy/":
        return f"{path}?id={case['document']}"
    return (
        f"{path}?id={case.get(noun, 1)}"
        if re.search(r"/(details|edit|pdf|file|copy|preview|public)/$", rule)
        else path
    )


def first_step(app, noun):
    """The first step that the view of a noun takes."""
    views = {view.endpoint: view for view in app.extensions["admin"][0]._views}
    return next((step.verb for step in getattr(views.get(noun), "steps", ())), "none")


def sent(app, rule, case):
    """What a POST carries: too little to be saved, enough to pass the door."""
    noun = rule.split("/")[1].replace("-", "_")
    actions = {
        "incident": "incident:amend",
        "log": "log:reopen",
        "user": "user:reset_factor",
        "proposal": "proposal:approve",
        "event": "notice:retry",
    }
    return {
        "rowid": case.get(noun, 1),
        "action": actions.get(noun) or first_step(app, noun),
        "text": "",
    }


@pytest.mark.long
def test_every_door_answers_each_role_as_written(app, school, cast, case):
    found, told, secret = (
        {},
        [],
        [log.reference for log in Log.select()] + ["INC-20", "A red mark on the left wrist"],
    )
    people = [getattr(cast, name) if name != "stranger" else Person(app, None) for name in WHO]
    people[0].get("/login")
    for person in people[1:]:
        person.get("/")
    doors = sorted(
        {
            (method, rule.rule)
            for rule in app.url_map.iter_rules()
            for method in rule.methods & {"GET", "POST"}
        }
    )
    for method, rule in doors:
        if not re.match(
            r"/(logout|login|tf-|mf-|wan-|change|reset|verify|setup|account/end|_security|static/admin|admin/static)",
            rule,
        ):  # people's own: tests/test_signin.py
            path, codes = address(rule, method, case), ""
            for person in people:
                with db.atomic() as undone:  # so that no row depends on the one before
                    answer = (
                        person.get(path)
                        if method == "GET"
                        else person.post(path, sent(app, rule, case), follow=False)
                    )
                    codes += code(answer)
                    if person.user not in (school.carol, school.mark, school.alice):
                        shown = answer.get_data()
                        told += [
                            f"{method} {rule} tells {person.user}: {word}"
                            for word in secret
                            if word.encode() in shown
                        ]
                    answer.close()
                    undone.rollback()
            found[method, rule] = codes
    known = written()
    missing = [
        f"{method:5}{rule:32}{codes}"
        for (method, rule), codes in found.items()
        if (method, rule) not in known
    ]
    other = [
        f"{method:5}{rule:32}{codes} and not {known[method, rule]}"
        for (method, rule), codes in found.items()
        if known.get((method, rule), codes) != codes
    ]
    gone = [f"{method} {rule}" for method, rule in set(known) - set(found)]
    assert not missing, (
        "not in tests/matrix.txt; decide who may, and write the lines:\n" + "\n".join(missing)
    )
    assert not other, (
        f"not as tests/matrix.txt says ({', '.join(WHO)}); mend the doors, or decide anew:\n"
        + "\n".join(other)
    )
    assert not gone, f"tests/matrix.txt names doors that are gone: {gone}"
    assert not told, "the doors are shut, and yet words of the case come through:\n" + "\n".join(
        told
    )
