"""Policies that staff are to read: published in editions, read once, and who has not by name."""

import csv
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest

from models import (
    TABLES,
    Acknowledgement,
    Event,
    Notice,
    PolicyDocument,
    PolicyReader,
    Refused,
    Role,
    Setting,
    User,
    UserRole,
    visible,
)
from models.access.accounts import add_person, edit_setting
from models.case.policy_document import IN_FORCE
from models.ground.clock import at, now, today
from models.shelf import proof
from models.shelf.digest import reminders

from .conftest import policy_document
from .test_queries import counted

pytestmark = pytest.mark.both
VIEW = "policy-document"
STAFF = 7  # of the cast: all but the governor and IT


def soon(days=14):
    return today() + timedelta(days=days)


def again(user):
    """The user as the next request has them."""
    return User.get_by_id(user.id)


def owed(user):
    return [str(one) for one, _due_on in PolicyDocument.owed(again(user))]


@pytest.fixture
def policy(school):
    return policy_document(school)


def test_from_publishing_to_read_in_the_browser(cast, school):
    page = cast.alice.get("/policy-document/")
    assert "Publish a policy" in page.text_only
    emails = Notice.select().count()
    form = {"title": "Child protection policy", "edition": "September 2026", "text": "Tell us."}
    form |= {"changed": "Who the deputy is.", "due_on": soon().isoformat()}
    page = cast.alice.post("/policy-document/new/", form)
    assert "Published: Child protection policy, September 2026." in page.text_only
    assert f"0 of {STAFF} who are to read it have" in page.text_only
    home = cast.dave.get("/").text_only
    assert "Child protection policy" in home and "Read this" in home
    policy = PolicyDocument.get()
    page = cast.dave.get(f"/policy-document/details/?id={policy.id}")
    assert "Who the deputy is." in page.text_only and "I have read it" in page.text_only
    assert "Who has read it" not in page.text_only, "that is for whoever publishes"
    page = cast.dave.press("policy_document:acknowledge", policy, VIEW)
    assert "You read it on" in page.text_only and "I have read it" not in page.text_only
    assert "Child protection policy" not in cast.dave.get("/").text_only
    assert "Read on" in cast.dave.get("/policy-document/").text_only
    page = cast.alice.get(f"/policy-document/details/?id={policy.id}").text_only
    assert f"1 of {STAFF} who are to read it have" in page and f"{STAFF - 1} not yet" in page
    done, undone = page.split("Read (1)")[1], page.split("Not yet (6)")[1].split("Read (1)")[0]
    assert "Dave Pritchard, Teacher of geography" in done and "Dave" not in undone
    assert "Dina El-Sayed" in undone and "Grace" not in page and "Ira" not in page
    assert f"1 of {STAFF}" in cast.alice.get("/policy-document/").text_only
    assert Notice.select().count() == emails, "no email is sent"
    event = Event.last(policy, "policy_document:acknowledge")
    assert event.by == school.dave and "Dave Pritchard read the policy" in event.sentence
    assert proof.history(TABLES) == Event.select().count()


def test_read_twice_is_read_once(cast, school, policy):
    cast.dave.get("/")
    with at(now() - timedelta(days=1)):
        policy.acknowledge(by=school.dave)
    first = Acknowledgement.get().at
    page = cast.dave.press("policy_document:acknowledge", policy, VIEW)
    assert page.status_code == 200 and Acknowledgement.get().at == first
    assert Event.select().where(Event.verb == "policy_document:acknowledge").count() == 1


def test_wrong_person(cast, school, policy):
    for person in (cast.ira, cast.grace):
        person.get("/")
        assert person.get("/policy-document/").status_code == 403
        assert person.get(f"/policy-document/details/?id={policy.id}").status_code == 403
        assert person.press("policy_document:acknowledge", policy, VIEW).status_code == 403
    cast.carol.get("/")
    assert cast.carol.get("/policy-document/new/").status_code == 403
    assert cast.carol.get(f"/policy-document/edit/?id={policy.id}").status_code == 403
    assert cast.carol.get(f"/policy-document/file/?id={policy.id}").status_code == 403
    assert cast.carol.press("policy_document:retire", policy, VIEW, reason="No").status_code == 403
    only = policy_document(school, "For the team", roles=["Safeguarding team"])
    cast.dave.get("/")
    assert cast.dave.get(f"/policy-document/details/?id={only.id}").status_code == 404
    assert cast.dave.press("policy_document:acknowledge", only, VIEW).status_code == 404
    assert "For the team" not in cast.dave.get("/policy-document/").text_only
    page = cast.alice.get(f"/policy-document/details/?id={only.id}").text_only
    assert "I have read it" not in page and "0 of 1 who are to read it have" in page
    page = cast.alice.press("policy_document:acknowledge", only, VIEW)
    assert page.status_code == 409 and "Only those whom it is for" in page.text_only
    assert not Acknowledgement.select().exists()
    assert owed(school.carol) == [str(policy), str(only)] and owed(school.ira) == []


def test_wrong_moment(cast, school, policy):
    cast.dave.get("/")
    page = cast.alice.get(f"/policy-document/details/?id={policy.id}").text_only
    assert "Retire it, and nothing takes its place" in page
    assert "Give the reason" in cast.alice.press("policy_document:retire", policy, VIEW).text_only
    page = cast.alice.press("policy_document:retire", policy, VIEW, reason="It is law now.")
    assert "Nobody is to read it any more" in page.text_only
    assert PolicyDocument.get().status == "retired" and owed(school.dave) == []
    assert cast.dave.press("policy_document:acknowledge", policy, VIEW).status_code == 404
    stale = PolicyDocument.get_by_id(policy.id)
    with pytest.raises(Refused, match="Only those whom it is for"):
        stale.acknowledge(by=school.dave)
    page = cast.alice.press("policy_document:retire", policy, VIEW, reason="Again, in words.")
    assert page.status_code == 409 and "Again, in words." in page.text
    page = cast.alice.get(f"/policy-document/details/?id={policy.id}")
    assert "I have read it" not in page.text_only and "Edit" not in page.text_only
    form = {"version": "2", "due_on": soon(30).isoformat()}
    page = cast.alice.post(f"/policy-document/edit/?id={policy.id}", form)
    assert page.status_code in (409, 422) and "nobody is to read it" in page.text_only
    page = cast.alice.get(f"/policy-document/new/?of={policy.id}")
    form = {"title": policy.title, "edition": "2", "text": "x", "due_on": soon().isoformat()}
    page = cast.alice.post(f"/policy-document/new/?of={policy.id}", form)
    assert page.status_code == 422 and "“retired”" in page.text_only
    assert PolicyDocument.select().count() == 1, "nothing is half published"


def test_a_new_edition_takes_its_place_and_old_words_stand(cast, school, policy):
    policy.acknowledge(by=school.dave)
    page = cast.alice.get(f"/policy-document/new/?of={policy.id}")
    assert f'value="{policy.title}"' in page.text and "Publish a new edition" in page.text_only
    form = {"title": policy.title, "edition": "September 2027", "due_on": soon().isoformat()}
    form |= {"changed": "The number of the LADO.", "place": "https://school.example/policy"}
    page = cast.alice.post(f"/policy-document/new/?of={policy.id}", form)
    assert 'href="https://school.example/policy"' in page.text
    new, old = PolicyDocument.get(PolicyDocument.status == IN_FORCE), again_of(policy)
    assert new.supersedes == old and old.status == "superseded"
    assert owed(school.dave) == [str(new)] and Acknowledgement.get().document == old
    page = cast.dave.get(f"/policy-document/details/?id={old.id}").text_only
    assert f"There is a newer edition: {new}" in page and "You read it on" in page
    page = cast.alice.get(f"/policy-document/details/?id={old.id}").text_only
    assert "Dave Pritchard" in page and "Not yet" not in page and "Read (1)" in page
    with pytest.raises(Refused, match="superseded"):
        PolicyDocument.publish(
            school.alice, former=old, title="T", edition="3", text="x", due_on=soon()
        )
    assert PolicyDocument.select().count() == 2
    assert proof.history(TABLES) == Event.select().count()


def again_of(policy):
    return PolicyDocument.get_by_id(policy.id)


def test_what_cannot_be_is_refused_with_a_sentence(cast, school, policy):
    form = {"title": "Whistleblowing", "edition": "1", "due_on": soon(-1).isoformat()}
    page = cast.alice.post("/policy-document/new/", form)
    assert page.status_code == 422 and "This day is past" in page.text_only
    assert "Say where it is" in page.text_only and 'value="Whistleblowing"' in page.text
    form = {"title": policy.title, "edition": "2", "text": "x", "due_on": soon().isoformat()}
    page = cast.alice.post("/policy-document/new/", form)
    assert page.status_code == 422 and "One with this title is in force" in page.text_only
    form = form | {"title": "Other", "readers": "Governor"}
    assert cast.alice.post("/policy-document/new/", form).status_code == 422, "they do not read"
    assert cast.alice.get("/policy-document/new/?of=999").status_code == 404
    assert cast.alice.get("/policy-document/new/?of=²").status_code == 404
    assert PolicyDocument.select().count() == 1


@pytest.mark.parametrize(
    "place", ["javascript:alert(1)", "https://a.example and b", "The red folder, staff room"]
)
def test_what_is_no_link_is_read_and_not_pressed(cast, school, place):
    policy = policy_document(school, place=place)
    page = cast.dave.get(f"/policy-document/details/?id={policy.id}")
    assert place in page.text_only and f'href="{place[:6]}' not in page.text


def test_who_and_when_can_be_changed_and_the_words_cannot(cast, school, policy):
    page = cast.bob.get(f"/policy-document/edit/?id={policy.id}")
    assert 'name="title"' not in page.text and 'name="readers"' in page.text
    version = {"version": policy.version, "title": "Another", "text": "Other words"}
    form = version | {"due_on": soon(30).isoformat(), "readers": ["Staff", "Manager"]}
    page = cast.bob.post(f"/policy-document/edit/?id={policy.id}", form)
    assert "0 of 3 who are to read it have" in page.text_only
    fresh = again_of(policy)
    assert (fresh.title, fresh.text) == (policy.title, policy.text) and fresh.due_on == soon(30)
    assert owed(school.dave) == [str(policy)] and owed(school.alice) == []
    changed = Event.last(policy, "policy_document:edit").detail["changed"]
    assert changed["Who is to read it"] == ["All staff", "Manager, Staff"]
    page = cast.bob.get(f"/policy-document/edit/?id={policy.id}")
    assert page.text.count(" checked") == 2
    form = {"version": fresh.version, "due_on": soon(30).isoformat()}
    cast.bob.post(f"/policy-document/edit/?id={policy.id}", form)
    assert not PolicyReader.select().exists() and owed(school.alice) == [str(policy)]
    with pytest.raises(Refused, match="Nothing was saved"):
        again_of(policy).edit(school.bob, soon(-3), [])
    assert proof.history(TABLES) == Event.select().count()


def test_who_read_it_and_left_is_kept_and_not_counted(cast, school, policy):
    policy.acknowledge(by=school.dina)
    User.update(active=False).where(User.id == school.dina.id).execute()
    page = cast.alice.get(f"/policy-document/details/?id={policy.id}").text_only
    assert f"0 of {STAFF - 1} who are to read it have" in page
    assert "Dina El-Sayed" in page.split("Read (1)")[1] and "not to read it any more" in page


def test_how_late_is_said_in_words_and_new_staff_are_late_from_their_first_day(cast, school):
    policy = policy_document(school, due_on=soon(1))
    with at(now() + timedelta(days=10)):
        add_person(
            school.ira,
            name="Nia New",
            job_title="Cook",
            email="nia@thornley.example",
            active=True,
            roles=[(Role.get(Role.name == "Staff"), None)],
        )
        nia = User.get(User.name == "Nia New")
        assert PolicyDocument.owed(nia) == [(policy, today())], "owed from their first day"
        assert PolicyDocument.owed(school.dave) == [(policy, soon(-9))]
    with at(now() + timedelta(days=13)):
        page = cast.alice.get(f"/policy-document/details/?id={policy.id}").text_only
        assert "Nia New, Cook 3 days late" in page
        assert "Dave Pritchard, Teacher of geography 12 days late" in page
        assert "12 days late" in cast.dave.get("/").text_only
        assert "12 days late" in cast.dave.get("/policy-document/").text_only


def test_the_list_for_a_spreadsheet(cast, school, policy):
    policy.acknowledge(by=school.carol)
    User.update(name="=Dave()").where(User.id == school.dave.id).execute()
    with at(now() + timedelta(days=16)):
        cast.alice.get("/")
        answer = cast.alice.get(f"/policy-document/file/?id={policy.id}")
    assert answer.status_code == 200 and answer.mimetype == "text/csv"
    rows = list(csv.reader(StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert rows[0] == ["Name", "Job title", "Has read it", "When", "To be read by", "Days late"]
    found = {row[0]: row for row in rows[1:]}
    assert len(found) == STAFF and [row[0] for row in rows[2:]] == sorted(found)[1:]
    assert found["Carol Vaughan-Ŵyn"][2] == "Yes" and found["Carol Vaughan-Ŵyn"][5] == ""
    assert found["'=Dave()"][2:4] == ["No", ""] and found["'=Dave()"][5] == "2"
    event = Event.last(policy, "policy_document:export")
    assert event.by == school.alice and event.detail["rows"] == STAFF


def test_counts(cast, school, policy):
    assert PolicyDocument.acknowledged() == (0, STAFF)
    only = policy_document(school, "For the team", roles=["Safeguarding team", "DSL"])
    policy.acknowledge(by=school.dave)
    only.acknowledge(by=school.carol)
    policy.acknowledge(by=school.carol)
    assert PolicyDocument.acknowledged() == (3, STAFF + 2)
    with counted() as statements:
        PolicyDocument.acknowledged()
    assert len(statements) == 2
    home = cast.grace.get("/").text_only
    assert f"Read by staff 3 of {STAFF + 2}" in home and "Dave" not in home
    only.retire(reason="Over.", by=school.alice)
    assert PolicyDocument.acknowledged() == (2, STAFF)


def test_before_there_is_a_policy_nothing_is_owed(cast, school):
    assert PolicyDocument.acknowledged() == (0, 0) and owed(school.dave) == []
    assert "none to be read" in cast.grace.get("/").text_only
    assert "There is no policy for you" in cast.dave.get("/policy-document/").text_only


def test_the_email_of_the_day_reminds_once_it_is_due(school, policy):
    assert reminders(school.dave, visible) == []
    with at(now() + timedelta(days=15)):
        said = reminders(school.dave, visible)
        assert said[0].startswith("1 policy is to be read.") and "/policy-document/" in said[0]
        assert policy.title not in said[0] and reminders(school.ira, visible) == []
        policy.acknowledge(by=school.dave)
        assert reminders(school.dave, visible) == []


@pytest.fixture
def homes(school):
    """Bob is head of Beck House, where Dave works; Dina works in Fell View; Alice is DSL of both."""
    beck = edit_setting(Setting(), school.ira, name="Beck House", urn="1", address="", telephone="")
    fell = edit_setting(Setting(), school.ira, name="Fell View", urn="2", address="", telephone="")
    for user, home in ((school.bob, beck), (school.dave, beck), (school.dina, fell)):
        UserRole.update(setting=home).where(UserRole.user == user).execute()
        Event.write("user:edit", user, None)
        user.roles = None
    return SimpleNamespace(beck=beck, fell=fell)


def test_one_of_a_home_is_for_those_with_a_role_there(cast, school, homes):
    here = policy_document(school, "Fire at Beck House", setting=homes.beck)
    everywhere = policy_document(school)
    assert owed(school.dave) == [str(here), str(everywhere)]
    assert owed(school.dina) == [str(everywhere)], "none of Beck House"
    assert owed(school.carol) == [str(here), str(everywhere)], "whose role is for all"
    cast.dina.get("/")
    assert cast.dina.get(f"/policy-document/details/?id={here.id}").status_code == 404
    for person in (cast.dave, cast.dina):
        person.get("/")
        page = person.press("policy_document:acknowledge", everywhere, VIEW)
        assert "You read it on" in page.text_only, "one for all is for the staff of each"
    assert PolicyDocument.acknowledged(homes.fell.id) == (1, STAFF - 2)
    assert PolicyDocument.acknowledged(homes.beck.id) == (1, 2 * (STAFF - 1))
    assert PolicyDocument.acknowledged() == (2, STAFF + STAFF - 1)


def test_the_head_of_one_home_publishes_there_and_sees_their_own(cast, school, homes):
    everywhere = policy_document(school)
    elsewhere = policy_document(school, "Fire at Fell View", setting=homes.fell)
    form = {"title": "Fire at Beck House", "edition": "1", "text": "x"}
    form |= {"due_on": soon().isoformat(), "setting": str(homes.fell.id)}
    cast.bob.get("/")
    cast.bob.post("/policy-document/new/", form)
    assert PolicyDocument.get(PolicyDocument.title == form["title"]).setting == homes.beck
    page = cast.bob.get(f"/policy-document/details/?id={everywhere.id}").text_only
    assert "Dave Pritchard" in page and "Dina El-Sayed" not in page, "the staff of his home"
    assert "Retire" not in page and "Edit" not in page
    assert "Dina" not in cast.bob.get(f"/policy-document/file/?id={everywhere.id}").text_only
    assert cast.bob.get(f"/policy-document/details/?id={elsewhere.id}").status_code == 404
    assert cast.bob.get(f"/policy-document/edit/?id={everywhere.id}").status_code == 403
    assert cast.bob.get(f"/policy-document/new/?of={everywhere.id}").status_code == 403
    page = cast.bob.press("policy_document:retire", everywhere, VIEW, reason="No.")
    assert page.status_code == 403 and again_of(everywhere).status == IN_FORCE
    page = cast.alice.get("/policy-document/new/")
    assert ">All<" in page.text and "Fell View" in page.text_only
    assert "Beck House" in cast.alice.get("/policy-document/").text_only


def test_pages_cost_the_same_however_many_there_are(cast, school):
    policy = policy_document(school)
    cast.alice.get("/"), cast.dave.get("/")
    pages = ("/policy-document/", f"/policy-document/details/?id={policy.id}", "/")
    costs = []
    for more in (1, 30):
        for number in range(more):
            one = policy_document(school, f"Policy {more} {number}", roles=["Staff", "DSL"])
            one.acknowledge(by=school.alice)
            user = User.create(
                name=f"N {more} {number}", email=f"n{more}.{number}@thornley.example"
            )
            UserRole.create(user=user, role=Role.get(Role.name == "Staff"))
            Event.write("user:add", user, None)
            if number % 2:
                policy.acknowledge(by=user)
        for person in (cast.alice, cast.dave):
            for page in pages:
                with counted() as statements:
                    assert person.get(page).status_code == 200
                costs.append(len(statements))
    assert costs[:6] == costs[6:] and max(costs) <= 34, costs
