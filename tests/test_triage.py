"""Triage: what waits, acknowledged, decided, decided again; by the right people, and shut to the
adult whom it is about.
"""

import re
from datetime import timedelta

import pytest

from models import Case, Category, Event, Flag, Incident, Notice, Refused, Triage, User, visible
from models.case.incident import ABOUT
from models.ground.clock import at, now
from models.ground.settings import settings

from .conftest import report, triage

pytestmark = pytest.mark.both
SENT = {
    "into": "A new case", "risk": "Medium", "urgency": "24 hours", "threshold": "Early help", "decision": "Internal support",
    "rationale": "A mark, and no explanation yet.", "categories-rows": "1", "categories-0-part": "Affected",
    "categories-0-first": "Physical", "categories-0-second": "Neglect",
}  # fmt: skip


def sent(incident, **more):
    return SENT | {"categories-0-child": incident.child.in_full} | more


def test_from_new_to_triaged_in_the_browser(cast, school, incident):
    page = cast.carol.get("/triage/")
    assert "Zofia Łukasiewicz" in page.text_only and "new for" in page.text_only
    page = cast.carol.press("incident:acknowledge", incident)
    assert "Acknowledged by Carol" in page.text_only
    page = cast.alice.get("/triage/").text_only
    assert "Carol Vaughan-Ŵyn has it" in page, "others see whose it is"
    page = cast.carol.get(f"/triage/new/?incident={incident.id}")
    assert "A red mark on the left wrist." in page.text_only and "Known of Zofia" in page.text_only
    page = cast.carol.post(f"/triage/new/?incident={incident.id}", sent(incident))
    assert "is triaged: Internal support. It stands in CASE-" in page.text_only
    case, one = Case.get(), Triage.get()
    assert (one.case, one.by, case.lead) == (case, school.carol, school.carol)
    assert [row.category for row in Category.select()] == ["Physical", "Neglect"]
    assert Incident.get().stage == "triaged" and "Zofia" not in cast.carol.get("/triage/").text_only
    assert cast.carol.get(f"/case/details/?id={case.id}").status_code == 200


def test_a_later_decision_supersedes_and_all_are_shown_in_order(cast, school, incident):
    triage(school, incident, opens=True)
    later = triage(school, incident, by=school.alice, case=Case.get(), decision="Child protection")
    assert [one.id for one in Triage.of(incident)] == [later.id, later.id - 1]
    page = cast.carol.get(f"/incident/details/?id={incident.id}").text_only
    assert page.index("Child protection") < page.index("Earlier decisions") < page.index("Internal")
    assert Case.select().count() == 1, "decided again, it stays in its case"
    assert Event.last(incident, "incident:acknowledge") is None


def test_the_form_says_what_is_wrong_and_gives_everything_back(cast, incident):
    url = f"/triage/new/?incident={incident.id}"
    page = cast.carol.post(
        url, sent(incident, **{"categories-0-first": "", "categories-0-second": ""})
    )
    assert page.status_code == 422 and "at least one category" in page.text_only
    assert "A mark, and no explanation yet." in page.text
    page = cast.carol.post(url, sent(incident, into=""))
    assert page.status_code == 422 and "Choose a case" in page.text_only
    page = cast.carol.post(url, sent(incident, threshold="Statutory"))
    assert "say why it is not referred" in page.text_only
    page = cast.carol.post(url, sent(incident, decision="Monitor until a date"))
    assert "Say on which day" in page.text_only
    page = cast.carol.post(url, sent(incident, **{"categories-0-child": "Somebody else"}))
    assert page.status_code == 422, "a child who is not linked"
    page = cast.carol.post(url, sent(incident, **{"categories-0-first": "Invented"}))
    assert page.status_code == 422 and "not on the list" in page.text_only
    page = cast.carol.post(url, sent(incident, into="CASE-2026-0009, Somebody"))
    assert page.status_code == 422 and "not on the list" in page.text_only
    assert not Triage.select().exists() and not Case.select().exists()


def test_an_empty_form_names_all_that_is_missing_in_the_order_of_the_page(cast, incident):
    url = f"/triage/new/?incident={incident.id}"
    rows = {"categories-rows": "1", "categories-0-child": incident.child.in_full}
    page = cast.carol.post(url, rows)
    assert page.status_code == 422 and not Triage.select().exists()
    box = re.search(r'id="problems">.*?</ul>', page.text, re.S)[0]
    assert re.findall(r'href="#([a-z_]+)"', box) == [
        "into", "risk", "urgency", "threshold", "categories", "decision", "rationale",
    ]  # fmt: skip
    assert "Give Zofia Łukasiewicz at least one category." in box


def test_what_is_to_be_done_now_is_said_after_saving_with_links(cast, school, incident):
    report(school, alert=False)
    page = cast.mark.post(f"/triage/new/?incident={incident.id}", sent(incident))
    said = re.search(r'<p class="flash success".*?</p>', page.text, re.S)[0]
    links = re.findall(r'href="([^"]+)"', said)
    assert links == [
        f"/case/details/?id={Case.get().id}", f"/incident/details/?id={incident.id}#decision",
        f"/task/new/?incident={incident.id}", "/triage/",
    ]  # fmt: skip
    assert "1 waits" in said and "decide whether" in said
    for link in links:
        assert cast.mark.get(link).status_code == 200, link
    other = Incident.select().order_by(Incident.id.desc()).get()
    page = cast.carol.post(
        f"/triage/new/?incident={other.id}", sent(other, decision="Child protection")
    )
    said = re.search(r'<p class="flash success".*?</p>', page.text, re.S)[0]
    assert "none left" in said and f"/contact/new/?incident={other.id}" in said
    assert "decide whether" not in said, "no alert, and she does not decide that"


def test_what_ofsted_is_told_and_triage_are_not_named_alike(cast, school, incident):
    home = cast.mark.get("/").text_only
    assert "Ofsted: decide" in home and "waiting" in home and "waits for" not in home
    triage(school, incident, opens=True)
    page = cast.mark.get(f"/incident/details/?id={incident.id}").text_only
    assert "Ofsted: to decide, waiting" in page and "Ofsted: is a notification due?" in page
    assert "Ofsted: to decide" in cast.carol.get("/incident/").text_only
    page = cast.mark.get("/incident/?status=to+decide")
    assert page.text_only.count("Ofsted: to decide") == 2, "found by the word that is kept"
    assert Incident.get().status == "to decide"


def test_words_on_the_list_stand_apart_and_long_hours_are_days(cast, school, incident, monkeypatch):
    page = cast.carol.get("/triage/").text_only
    assert "Year 6 safeguarding alert" in page and "within 4 hours" in page
    monkeypatch.setattr(settings, "acknowledge_hours", 72)
    assert "within 3 days ." in cast.carol.get("/triage/").text_only.replace("days.", "days .")


def test_no_case_is_closed_here_and_flags_are_set_once(cast, school, incident):
    form = sent(incident, into="No case: closed here", flags=["Young carer", "SEND support"])
    page = cast.carol.post(f"/triage/new/?incident={incident.id}", form)
    assert "It is closed here" in page.text_only and not Case.select().exists()
    cast.carol.post(f"/triage/new/?incident={incident.id}", form | {"rationale": "Again."})
    assert sorted(flag.kind for flag in Flag.in_force(school.child)) == [
        "SEND support",
        "Young carer",
    ]
    assert Event.last(school.child, "child:flag").detail["flags"] == ["Young carer", "SEND support"]


def test_wrong_person(cast, school, incident):
    for name in ("dave", "connor", "ira", "grace"):
        person = getattr(cast, name)
        assert person.get("/triage/").status_code in (302, 403), name
        assert person.get(f"/triage/new/?incident={incident.id}").status_code in (302, 403), name
        assert (
            person.post(f"/triage/new/?incident={incident.id}", sent(incident)).status_code == 403
        )
        assert person.press("incident:acknowledge", incident).status_code == 403
    triage(school, incident, opens=True)
    page = cast.dave.get(f"/incident/details/?id={incident.id}").text
    assert "Internal support" not in page and "CASE-" not in page, "who reports reads no decision"
    assert not visible(Triage, school.dave).exists() and not visible(Case, school.dave).exists()


def test_wrong_moment_and_twice(cast, school, incident):
    assert incident.acknowledge(by=school.carol).stage == "acknowledged"
    assert incident.acknowledge(by=school.alice).stage == "acknowledged"
    assert Event.last(incident, "incident:acknowledge").by == school.carol, "the first stands"
    triage(school, incident, opens=True)
    assert incident.acknowledge(by=school.alice).stage == "triaged"
    case = Case.get()
    case.close_anyway(reason="Nothing more.", by=school.alice)
    with pytest.raises(Refused, match="is closed"):
        triage(school, report(school), case=case)
    assert not [one for one in Incident.select() if one.stage == "triaged"][1:], "nothing was saved"


def test_several_are_acknowledged_at_once(cast, school):
    small = [report(school, alert=False, topic=f"Worry {number}") for number in range(3)]
    about = report(school, adults=[(school.carol, ABOUT)], by=school.dina)
    cast.carol.get("/triage/")
    send = {"action": "incident:acknowledge", "several": "1"}
    page = cast.carol.post("/incident/action/", send | {"rowid": [one.id for one in small]})
    assert "done for 3 records" in page.text_only
    assert {one.stage for one in Incident.select().where(Incident.id != about.id)} == {
        "acknowledged"
    }
    page = cast.carol.post("/incident/action/", send)
    assert "tick some first" in page.text_only
    assert cast.carol.post("/incident/action/", send | {"rowid": [about.id]}).status_code == 404
    assert Incident.get_by_id(about.id).stage == "new"


def test_what_nobody_acknowledges_is_late(cast, school, incident):
    with at(now() + timedelta(hours=5)):
        assert "chip late" in cast.carol.get("/triage/").text
    incident.acknowledge(by=school.carol)
    with at(now() + timedelta(hours=5)):
        assert "chip late" not in cast.carol.get("/triage/").text


def test_every_dsl_is_told_once_of_what_nobody_acknowledges(school, incident):
    about = report(school, adults=[(school.bob, ABOUT)])
    taken = report(school)
    taken.acknowledge(by=school.carol)
    assert Incident.alarm() == 0
    with at(now() + timedelta(hours=5)):
        before = Notice.select().count()
        assert Incident.alarm() == 2
        assert Incident.alarm() == 0, "once each"
        told = Notice.select().order_by(Notice.id).offset(before)
        alarms = {(one.user, one.event.record) for one in told}
        everybody = set(User.level_5())
        assert alarms == {(one, incident.id) for one in everybody} | {
            (one, about.id) for one in everybody - {school.bob}
        }, "nothing of it to the adult whom it is about"
        assert not [one for one in told if one.rests or "Zofia" in one.body]


def test_the_child_of_each_category_is_linked(school):
    incident = report(school, others=[(school.children[1], "Witness")])
    one = triage(
        school,
        incident,
        categories=[
            (school.child, "Affected", "Physical"),
            (school.children[1], "Alleged to have caused harm", "Child-on-child"),
        ],
    )
    assert {row.child.name: row.part for row in Category.of([one.id])[one.id]} == {
        "Zofia Łukasiewicz": "Affected",
        "Ngũgĩ wa Kamau": "Alleged to have caused harm",
    }, "the part of each child is their own"
    with pytest.raises(Refused) as refused:
        triage(school, incident, categories=[(school.children[2], "Affected", "Physical")])
    assert "not linked" in refused.value.errors["categories"]
    many = [
        (school.child, "Affected", name) for name in ("Physical", "Neglect", "Online", "Sexual")
    ]
    with pytest.raises(Refused) as refused:
        triage(school, incident, categories=many)
    assert "at most 3" in refused.value.errors["categories"]


def test_an_address_that_names_no_incident_is_not_there(cast, school, incident):
    for id in ("99999999999999999999", "x", "", "²", "-1"):
        assert cast.carol.get(f"/triage/new/?incident={id}").status_code == 404, id
        assert cast.carol.post(f"/triage/new/?incident={id}", sent(incident)).status_code == 404, id


def test_two_who_decide_at_once_open_one_case(cast, school, incident):
    url = f"/triage/new/?incident={incident.id}"

    def opened(person):
        return re.search(r'name="decided" value="(\d*)"', person.get(url).text)[1]

    ahead, behind = opened(cast.carol), opened(cast.alice)
    assert ahead == behind == ""
    assert cast.carol.post(url, sent(incident, decided=ahead)).status_code == 200
    page = cast.alice.post(url, sent(incident, decided=behind, rationale="Hers."))
    assert page.status_code == 422 and "Carol Vaughan-Ŵyn decided on it" in page.text_only
    assert "Hers." in page.text and "A mark, and no explanation yet." in page.text
    assert (Triage.select().count(), Case.select().count()) == (1, 1)
    again = re.search(r'name="decided" value="(\d*)"', page.text)[1]
    into = Case.get().label
    page = cast.alice.post(url, sent(incident, decided=again, into=into, rationale="Hers."))
    assert page.status_code == 200 and Triage.of(incident)[0].rationale == "Hers."
    assert Case.select().count() == 1, "decided again on purpose"
