"""Absurd input at every form, every button and every address: an answer, never a 500."""

import re
from functools import lru_cache
from urllib.parse import quote_plus, urlencode

import pytest
from lxml import html

from models import Draft, Feedback, Incident, Notice, Proposal, Role, Submission, Template, db
from models.access.proposal import CODE, hashed
from models.ground.database import sqlite

from .conftest import handed_over, report
from .person import Person
from .test_matrix import address

OWN = re.compile(
    r"/(logout|login|tf-|mf-|wan-|change|reset|verify|setup|_security|static|admin/static|fs-static)"
)  # tests/test_signin.py
NUMBERS = [
    "²",
    "9" * 5_000,
    "9" * 30,
]  # a digit that is no number, one that int() refuses, one that no database holds
FORM = "application/x-www-form-urlencoded"
typed = lru_cache(quote_plus)  # as a browser sends it
TEXT = "\0👩‍👧‍👦" + "x" * 100_000
SENSIBLE = {"date": "04/03/2026", "moment": "04/03/2026 09:15", "email": "some@thornley.example"}

FURTHER = re.compile(r"-[1-9]\d*-")  # a cell of a table below the first row, which is read alike

LISTS = [
    ["page"],
    ["page_size"],
    ["sort"],
    ["desc", "search", "status", "place", "numbers", "what", "list", "anchor"],
]
OTHERS = [["id", "template", "section", "path"]]


def rules(app, method):
    return sorted(
        {
            rule.rule
            for rule in app.url_map.iter_rules()
            if method in rule.methods and not OWN.match(rule.rule)
        }
    )


def filled(form):
    """What a form sends, {name: (value, absurd values)}, each field filled in with something of its
    kind.
    """
    fields = {name: (value, NUMBERS) for name, value in form.form_values()}
    for name in {element.name for element in form.inputs if element.name}:
        element = form.inputs[name]
        kind = getattr(element, "type", "textarea")
        if "when" in getattr(element, "classes", ()):
            hint = form.get_element_by_id(f"{element.get('id')}-hint").text_content()
            kind = "moment" if "14:05" in hint else "date"
        if options := getattr(element, "value_options", []):
            fields[name] = options[-1], NUMBERS
        elif kind != "hidden":
            fields[name] = (
                fields.get(name, ("",))[0] or SENSIBLE.get(kind, "Words"),
                [TEXT] if kind == "textarea" else [*NUMBERS[:2], TEXT],
            )
    return fields


def forms(person, rules, case):
    """{(path, verb): what it sends} of every form on the pages that this person may open."""
    found = {}
    for rule in rules:
        if re.search("/(pdf|copy|export|file)/", rule):
            continue
        page = person.get(address(rule, "GET", case))
        if page.status_code == 200 and page.mimetype == "text/html":
            for form in html.fromstring(page.text).forms:
                path = form.action or page.request.full_path
                if form.method == "POST" and not OWN.match(path):
                    found.setdefault(
                        (path, form.fields.get("action"), "person" in form.fields), filled(form)
                    )
    return found


def here(value):
    """Whether it can matter on this engine: that the first two are no numbers is found before any
    database is asked.
    """
    return sqlite() or value not in NUMBERS[:2]


def troubles(person, path, fields, tried):
    """The answers of 500 and more to a form with one field absurd, and with all. tried: {(form,
    field)} that was absurd alone before: what is added and what is changed is one form.
    """
    form = path.partition("?")[0].replace("/edit/", "/new/"), fields.get("action", "")[:1]
    known = {name for name in fields if (form, name) in tried}
    tried |= {(form, name) for name in fields}
    good = {name: value for name, (value, _absurd) in fields.items()} | {"csrf_token": person.token}
    each = [
        (name, {name: value})
        for name, (_value, absurd) in fields.items()
        for value in absurd
        if name not in known | {"csrf_token"} and here(value) and not FURTHER.search(name)
    ]
    each += [
        ("all", {name: value for name in good if name != "csrf_token"})
        for value in (*NUMBERS, TEXT)
        if here(value)
    ]
    for name, wrong in each:
        with db.atomic() as undone:  # so that each finds what the one before found
            sent = "&".join(f"{typed(key)}={typed(value)}" for key, value in (good | wrong).items())
            answer = person.client.post(path, data=sent, content_type=FORM)
            undone.rollback()
        if answer.status_code >= 500:
            yield path, good.get("action"), name, next(iter(wrong.values()))[:6]


@pytest.mark.long
@pytest.mark.both
def test_absurd_forms_are_answered(app, school, cast, case):
    Person(app, school.alice).sign_in()  # elsewhere, so that there is a session to end
    Notice.update(status="failed", problem="550 no such user").execute()
    Draft.keep(
        school.alice, "/incident/new/", [("topic", "Red mark")]
    )  # so that there is one to throw away
    for person, code in ((school.connor, hashed("AAAA-BBBB-CCCC")),):  # who has a code to type
        Proposal.create(
            kind="grant",
            user=person,
            role=Role.get(Role.name == "Manager"),
            status=CODE,
            by=school.ira,
            code=code,
            tries=0,
        )
    seen, broken, tried = set(), [], set()
    Feedback.give(
        report(school, by=school.alice), school.carol, "Thank you", "Clear."
    )  # to be read
    more = f"/hand-over/?{urlencode({'person': school.alice.label, 'to': school.mark.label})}"
    cast.connor.get("/report-here")  # at whose browser a visitor has typed a code
    cast.connor.post("/report-here", {"code": handed_over(school).fresh_code})
    risk = Template.get(Template.prefix == "RA")  # a form that is not signed yet
    form = Submission.begin(risk, school.carol, incident=Incident.get_by_id(case["incident"]))
    begun = [
        f"/submission/details/?id={form.id}&step=submission:name",
        f"/submission-section/edit/?id={form.sections()[0].id}",
        f"/template/details/?id={risk.id}",
    ]
    for person in (cast.alice, cast.ira, cast.connor):
        found = forms(person, [*rules(app, "GET"), more, *begun], case)
        for form in found.keys() - seen:
            broken += troubles(person, form[0], found[form], tried)
        seen |= found.keys()
    hide = "/account/hide/"  # a button's own address, and the page behind it
    broken += troubles(cast.alice, hide, {"path": ("/incident/", [*NUMBERS, TEXT, "/\0"])}, tried)
    cast.alice.post(hide, {"path": "/"})
    found = forms(cast.alice, ["/account/hidden/"], case)
    for form in found:
        broken += troubles(cast.alice, form[0], found[form], tried)
    seen |= found.keys()
    answered = {path.partition("?")[0] for path, _verb, _person in seen} | {
        "/account/alive/",
        "/account/draft/",
        hide,
    }
    assert set(rules(app, "POST")) - answered == set(), "forms that nobody found"
    assert not broken, "\n".join(map(str, broken))


@pytest.mark.parametrize(
    "value",
    [*NUMBERS, "\0", "👩‍👧‍👦", "x" * 10_000],
    ids=["two", "digits", "big", "NUL", "emoji", "long"],
)
def test_absurd_addresses_are_answered(app, school, cast, case, value):
    broken = []
    for person in (cast.alice, cast.ira):
        for rule in rules(app, "GET"):
            path = address(rule, "GET", case).partition("?")[0]
            for names in LISTS if path.count("/") == 2 else OTHERS:
                answer = person.client.get(path, query_string=dict.fromkeys(names, value))
                broken += (
                    [(path, names)] if answer.status_code >= 500 and path != "/healthz" else []
                )
    assert not broken, "\n".join(map(str, broken))


def test_an_absurd_line_to_compare_is_answered(cast):
    for count in ("²", "9" * 5_000, "٣"):
        page = cast.ira.get("/event/", query_string={"anchor": f"history {count} {'a' * 32}"})
        assert page.status_code == 200 and (
            "holds no line" in page.text_only or "does not fit" in page.text_only
        )


@pytest.mark.both
def test_absurd_drafts_are_kept_or_refused(school, cast):
    cast.dave.get("/")
    for value in (*NUMBERS, TEXT):
        for sent in (
            {"draft_path": value},
            {"draft_path": "/incident/new/", value: value},
            {"draft_path": f"/{value}", "rowid": value},
        ):
            assert cast.dave.post("/account/draft/", sent).status_code < 500
            assert (
                cast.dave.get("/account/unsent/", query_string={"path": f"/{value}"}).status_code
                < 500
            )
