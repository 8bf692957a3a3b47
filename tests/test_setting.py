"""Two homes in one installation, Beck House and Fell View: a director for both, managers and staff
each for theirs.
"""

import re
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from models import (
    TABLES,
    Absence,
    Assignee,
    Base,
    Case,
    Category,
    Child,
    Clarification,
    Contact,
    Document,
    Emergency,
    Entry,
    Escalation,
    Event,
    Extract,
    Feedback,
    Flag,
    Incident,
    Log,
    Mark,
    Notice,
    Pack,
    Proposal,
    Refused,
    Relation,
    Role,
    Roll,
    Scan,
    School,
    Section,
    Setting,
    Share,
    Submission,
    Task,
    Tracker,
    Triage,
    User,
    UserRole,
    db,
    step_of,
    visible,
    who_sees,
)
from models import case as case_room
from models.access.accounts import edit_person, edit_role, edit_setting
from models.case.child import OfChild
from models.case.handing import hand_over, held, holders
from models.case.incident import ABOUT, OfIncident
from models.case.pack import families
from models.case.sharing import LASTS
from models.ground.clock import now
from models.policy import who_sees_case, who_sees_child
from models.shelf import proof, roll, upload
from models.shelf.digest import reminders

from .conftest import around, besides, contact, referral, report, triage
from .person import Person
from .test_matrix import address, code, sent, written
from .test_people import code_in, person_form
from .test_queries import PAGES, counted
from .test_roll_on_screen import choose, latest, match, press

WHERE = {  # whom Flask knows by name: (role, home; nothing: for all)
    "alice": ("DSL", None),
    "bob": ("Head", "beck"),
    "mark": ("Manager", "beck"),
    "carol": ("Manager", "fell"),
    "connor": ("Contributor", "fell"),
    "dave": ("Staff", "beck"),
    "dina": ("Staff", "fell"),
    "grace": ("Governor", "beck"),
    "ira": ("IT", None),
}


def role(name):
    return Role.get(Role.name == name)


def again(user):
    """The user as the next request has them."""
    return User.get_by_id(user.id)


@pytest.fixture
def homes(school):
    """Zofia and Kamau live in Beck House, Hanako in Fell View, Siôn in neither."""
    beck = edit_setting(
        Setting(), school.ira, name="Beck House", urn="SC1", address="1 Beck Road", telephone="01"
    )
    fell = edit_setting(
        Setting(), school.ira, name="Fell View", urn="SC2", address="9 Fell Road", telephone="02"
    )
    homes = SimpleNamespace(beck=beck, fell=fell, school=school)
    for number, home in ((0, beck), (1, beck), (2, fell)):
        child = school.children[number]
        changed = child.set(setting=home)
        child.save()
        Event.write("child:edit", child, school.alice, changed, also=child.takes_along())
    for name, (known, home) in WHERE.items():
        user = getattr(school, name)
        UserRole.delete().where(UserRole.user == user).execute()
        setting = getattr(homes, home) if home else None
        UserRole.create(user=user, role=role(known), setting=setting)
        Event.write("user:edit", user, None)
        user.roles = None
    homes.zofia, homes.kamau, homes.hanako, homes.sion = school.children
    return homes


@pytest.fixture
def two(homes):
    """An incident in each home, and one of a child who is of neither."""
    return SimpleNamespace(
        beck=report(homes.school, by=homes.school.dave, child=homes.zofia),
        fell=report(homes.school, by=homes.school.dina, child=homes.hanako, topic="A fall"),
        none=report(homes.school, by=homes.school.alice, child=homes.sion, topic="Lost"),
    )


def seen(model, user):
    return set(visible(model, again(user)))


# need to know


@pytest.mark.both
def test_an_incident_is_of_the_home_where_the_child_lives(two, homes):
    assert two.beck.setting == homes.beck and two.fell.setting == homes.fell
    assert two.none.setting is None


@pytest.mark.both
def test_a_director_sees_all_and_a_manager_theirs(two, school):
    assert seen(Incident, school.alice) == {two.beck, two.fell, two.none}
    assert seen(Incident, school.mark) == seen(Incident, school.bob) == {two.beck}
    assert seen(Incident, school.carol) == {two.fell}
    assert seen(Incident, school.dave) == {two.beck} and seen(Incident, school.dina) == {two.fell}
    assert seen(Incident, school.connor) == seen(Incident, school.ira) == set()


@pytest.mark.both
def test_logs_cases_tasks_triages_and_emails_are_seen_in_their_home_only(two, school):
    log = Log.trigger(two.beck, school.mark)
    tracker = Tracker.begin(log, school.mark)
    triage(school, two.beck, by=school.mark)
    task = Task.give(
        two.beck, school.mark, what="Ring", owner=school.mark, due_on=now().date(), visible=visible
    )
    rows = {
        Log: {log},
        Tracker: {tracker},
        Section: set(tracker.in_order()),
        Case: set(Case.select()),
        Triage: set(Triage.select()),
        Task: {task},
    }
    for model, all_of_it in rows.items():
        assert all_of_it and seen(model, school.mark) == all_of_it, model
        assert seen(model, school.alice) == all_of_it, model
        assert seen(model, school.carol) == seen(model, school.connor) == set(), model
    of_log = set(Notice.select().join(Event).where(Event.incident == two.beck.id))
    assert of_log and of_log <= seen(Notice, school.mark)
    assert not of_log & seen(Notice, school.carol)
    assert not [one for one in seen(Event, school.carol) if one.incident]


@pytest.mark.both
def test_the_children_of_the_other_home_are_not_on_the_list(homes, school):
    assert seen(Child, school.mark) == {homes.zofia, homes.kamau}
    assert seen(Child, school.carol) == {homes.hanako}
    assert seen(Child, school.alice) == set(school.children)
    assert seen(Child, school.dave) == set()


@pytest.mark.both
def test_both_sides_of_need_to_know_agree_in_every_home(two, school):
    log = Log.trigger(two.beck, school.mark)
    Share.share(two.beck, school.connor, "He drives him home.", school.mark)
    Log.assign(log, [school.mark], school.bob)
    Emergency.begin(school.connor, "Nobody is to be reached.")
    for user in User.select():
        for incident in Incident.select():
            listed = user in [person for person, _why in who_sees(incident)]
            assert listed == (incident in seen(Incident, user)), (user, incident)
        for case in Case.select():
            listed = user in [person for person, _why in who_sees_case(case)]
            assert listed == (case in seen(Case, user)), (user, case)


@pytest.mark.both
def test_what_one_reported_was_assigned_or_is_shared_stays_wherever_it_is(two, school):
    log = Log.trigger(two.beck, school.mark)
    Share.share(two.beck, school.connor, "He drives him home.", school.mark)
    assert seen(Incident, school.connor) == {two.beck} and seen(Log, school.connor) == {log}
    Assignee.create(log=log, user=school.carol, by=school.alice, assigned_at=now())
    assert seen(Log, school.carol) == {log} and two.beck in seen(Incident, school.carol)
    by_dina = report(school, by=school.dina)  # of a child of Beck House
    assert by_dina in seen(Incident, school.dina) and by_dina not in seen(Incident, school.carol)


@pytest.mark.both
def test_emergency_access_is_for_the_home_of_the_role_that_gives_it(two, school, monkeypatch):
    before = Notice.select().count()
    Emergency.begin(again(school.connor), "Nobody is to be reached.")
    assert seen(Incident, school.connor) == {two.fell}
    told = {notice.user for notice in Notice.select().order_by(Notice.id).offset(before)}
    assert told == {school.alice}, "the Level 5 of Beck House has no part in it"
    assert LASTS.days == 1


@pytest.mark.both
def test_restricted_sections_are_opened_by_a_role_in_their_home_only(cast, two, school):
    log = Log.trigger(two.beck, school.mark)
    tracker = Tracker.begin(log, school.mark)
    shut = next(one for one in tracker.in_order() if one.restricted)
    Share.share(two.beck, school.carol, "Her deputy is away.", school.mark)
    assert shut in seen(Section, school.mark) and shut not in seen(Section, school.carol)
    assert len(seen(Section, school.carol)) == len(tracker.in_order()) - 1
    assert cast.carol.get(f"/section/edit/?id={shut.id}").status_code == 404
    document = Document.create(event=Event.last(log, "log:trigger"), words="x", restricted=True)
    assert document in seen(Document, school.mark) and document not in seen(Document, school.carol)


@pytest.mark.both
def test_history_names_no_child_of_the_other_home(cast, homes, school):
    UserRole.update(role=role("Head")).where(UserRole.user == school.carol).execute()
    page = cast.carol.get("/event/")
    assert "山田 花子" in page.text and "Zofia" not in page.text and "Kamau" not in page.text
    assert "Zofia" in cast.alice.get("/event/").text


# doors

OF_RECORDS = (
    r"/(incident|log|case|task|triage|section|notice|child|contact|clarification|feedback|entry|"
    r"extract|flag|mark|relation|school|slip)/"
)


@pytest.mark.both
def test_a_manager_of_one_home_at_every_door_of_the_other(app, case, homes, school, cast):
    """The list of doors is that of tests/matrix.txt; the record behind each is of Beck House."""
    secret = ["INC-20", "OFS-20", "CASE-20", "A red mark on the left wrist", "Zofia", "Kamau"]
    walked, wrong = 0, []
    for person in (cast.carol, cast.connor):
        person.get("/")
        for method, rule in written():
            path = address(rule, method, case)
            with db.atomic() as undone:  # so that no door depends on the one before
                if method == "GET":
                    answer = person.get(path)
                else:
                    answer = person.post(path, sent(app, rule, case), follow=False)
                undone.rollback()
            if re.match(OF_RECORDS, rule) and re.search(
                r"(details|edit|pdf|file|copy|action)/$|(?<!/incident)(?<!/child)/new/$", rule
            ):
                if method == "GET" and rule.endswith("/action/"):
                    continue  # of no record: it leads to the list
                walked += 1
                if code(answer) not in "NF":
                    wrong.append(f"{person.user}: {method} {path} answers {answer.status_code}")
            shown = answer.get_data().decode(errors="replace")  # the paper form is a PDF
            wrong += [f"{person.user}: {method} {path} tells {w}" for w in secret if w in shown]
            answer.close()
    assert not wrong and walked > 40, "\n".join(wrong)
    assert cast.mark.get(f"/log/details/?id={case['log']}").status_code == 200


def test_whoever_sees_it_for_another_reason_takes_no_step_on_it(app, cast, two, school):
    """Carol manages Fell View. An incident of Beck House is shared with her, and its log hers to
    read: she does no manager's work there.
    """
    log = Log.trigger(two.beck, school.mark)
    triage(school, two.beck, by=school.mark, opens=True)
    Task.give(
        two.beck, school.mark, what="Ring", owner=school.mark, due_on=now().date(), visible=visible
    )
    Share.share(two.beck, school.carol, "Her deputy is away.", school.mark)
    views = {view.endpoint: view for view in app.extensions["admin"][0]._views}
    page = cast.carol.get(f"/incident/details/?id={two.beck.id}")
    assert page.status_code == 200 and "Red mark" in page.text_only
    pressed = 0
    for noun, record in (("incident", two.beck), ("log", log)):
        for step in views[noun].steps:
            page = cast.carol.get(f"/{noun}/details/?id={record.id}&step={step.verb}")
            assert f'value="{step.verb}"' not in page.text, f"the button of {step.verb}"
            assert cast.carol.press(step.verb, record).status_code == 403, step.verb
            pressed += 1
    assert pressed > 15
    for path in (
        f"/log/edit/?id={log.id}",
        f"/log/pdf/?id={log.id}",
        f"/task/new/?incident={two.beck.id}",
        f"/triage/new/?incident={two.beck.id}",
    ):
        assert cast.carol.get(path).status_code == 403, path
    edit = {"summary": "All well.", "version": "1"}
    assert cast.carol.post(f"/log/edit/?id={log.id}", edit).status_code == 403
    assert Log.get_by_id(log.id).summary is None
    page = cast.carol.get(f"/log/details/?id={log.id}")
    assert "/log/edit/" not in page.text and "/log/pdf/" not in page.text
    refused = Event.select().where(Event.verb == "record:refused", Event.by == school.carol)
    assert refused.count() > pressed, "each is written down"
    several = {"action": "incident:acknowledge", "rowid": str(two.beck.id), "several": "1"}
    assert cast.carol.post("/incident/action/", several).status_code == 403
    assert Incident.get_by_id(two.beck.id).stage == "triaged"


def test_the_same_steps_are_taken_by_the_manager_of_the_home(cast, two, school):
    cast.carol.get("/")
    reason = {"reason": "No threshold is met."}
    assert cast.carol.press("incident:not_notifiable", two.fell, **reason).status_code == 200
    assert Incident.get_by_id(two.fell.id).status == "not notifiable"
    cast.mark.get("/")
    assert cast.mark.press("incident:not_notifiable", two.fell, **reason).status_code == 404
    assert cast.mark.press("log:trigger", two.beck, view="incident").status_code == 200


def test_what_waits_is_asked_of_those_who_look_after_it(cast, two, school):
    quiet = report(school, by=school.dave, child=two.beck.child, alert=False, topic="A graze")
    for incident in (two.beck, quiet):
        Share.share(incident, school.carol, "Her deputy is away.", school.mark)
    for page in ("/", "/triage/"):
        text = cast.carol.get(page).text
        assert "A fall" in text and "Red mark" not in text and "A graze" not in text, page
        assert "A graze" in cast.mark.get(page).text
        assert "A fall" in cast.alice.get(page).text and "Red mark" in cast.alice.get(page).text


def test_tasks_and_contacts_say_of_which_home_they_are_where_there_are_several(cast, two, school):
    for incident, what in ((two.beck, "Ring Beck"), (two.fell, "Ring Fell")):
        given = {"what": what, "owner": school.alice, "due_on": now().date(), "visible": visible}
        Task.give(incident, school.alice, **given)
        contact(school, incident, school.alice, person=what)
    for path, beck, fell in (
        ("/task/?tab=all", "Ring Beck", "Ring Fell"),
        ("/contact/?status=noted", "Zofia", "山田 花子"),
    ):
        text = cast.alice.get(path).text_only
        assert "School or home" in text and "Beck House" in text and "Fell View" in text, path
        text = cast.alice.get(f"{path}&setting=Beck+House").text_only
        assert beck in text and fell not in text, path
        assert "School or home" not in cast.mark.get(path).text_only, "he looks after one"


def test_a_csv_holds_what_the_export_is_given_for(cast, two, school):
    Share.share(two.beck, school.carol, "Her deputy is away.", school.mark)
    assert "Zofia" in cast.carol.get("/incident/").text
    text = cast.carol.get("/incident/export/csv/").get_data(as_text=True)
    assert "山田 花子" in text and "Zofia" not in text and "School or home" not in text
    text = cast.alice.get("/incident/export/csv/").get_data(as_text=True)
    assert "School or home" in text and "Beck House" in text and "Fell View" in text


def test_a_governor_counts_in_their_home(cast, two, homes, school):
    for _time in range(5):
        report(school, by=school.dave, child=homes.zofia)
    page = cast.grace.get("/").text_only
    assert "6" in page and "8" not in re.sub(r"\d\d:\d\d|\d{4}", "", page.split("Incidents")[-1])
    assert Incident.counts()["to decide"] == "8"


# names


def test_staff_never_learn_the_names_of_children_of_the_other_home(cast, homes, school, answers):
    page = cast.dave.get("/incident/new/")
    assert "Zofia" in page.text and "山田 花子" not in page.text and "Siôn" not in page.text
    for name in (homes.hanako.label, homes.hanako.name, "花子", homes.sion.label):
        page = cast.dave.post("/incident/new/", answers | {"child": name})
        assert page.status_code == 422 and "fits no child" in page.text_only, name
        rows = {"others-rows": "1", "others-0-name": name, "others-0-part": "Witness"}
        page = cast.dave.post("/incident/new/", answers | rows)
        assert page.status_code == 422 and "fits no child" in page.text_only, name
    assert not Incident.select().exists()
    assert cast.dave.post("/incident/new/", answers).status_code == 200
    assert Incident.get().setting == homes.beck


def test_a_namesake_in_the_other_home_is_not_to_be_noticed(cast, homes, school, answers):
    for home in (homes.beck, homes.fell):
        Child.create(name="Sam Okafor", date_of_birth=date(2013, 5, 3), year="6", setting=home)
    page = cast.dave.get("/incident/new/")
    assert "Sam Okafor, 6" in page.text and "born" not in page.text
    assert cast.dave.post("/incident/new/", answers | {"child": "Sam Okafor"}).status_code == 200
    assert Incident.get().child.setting == homes.beck
    page = cast.alice.get("/incident/new/")
    page = cast.alice.post("/incident/new/", answers | {"child": "Sam Okafor"})
    assert "fits more than one child" in page.text_only


def test_a_draft_opens_no_name(cast, homes, school, answers):
    page = cast.dave.get("/incident/new/")
    path = re.search(r'data-draft="([^"]+)"', page.text)[1]
    draft = answers | {"child": "花子", "draft": "1"}
    cast.dave.post(path, draft)
    page = cast.dave.get(path)
    assert "山田 花子" not in page.text and "花子" in page.text, "what was typed, and no more"


def test_people_are_suggested_who_work_there_or_for_all(cast, homes, school):
    page = cast.dave.get("/incident/new/")
    assert "Mark Kowalczyk" in page.text and "Alice Brennan" in page.text
    assert "Carol Vaughan" not in page.text and "Connor" not in page.text


def test_only_those_may_be_assigned_and_lead_who_may_there(two, school):
    log = Log.trigger(two.beck, school.mark)
    with pytest.raises(Refused, match="Nobody was assigned"):
        Log.assign(log, [school.connor], school.mark)
    case = Case.of(two.beck).get()
    with pytest.raises(Refused, match="The case was not saved"):
        case.edit(school.mark, lead=school.carol)
    case.edit(school.mark, lead=school.bob)
    assert Case.get_by_id(case.id).lead == school.bob


# Level 5 of a home


def test_the_level_5_of_the_home_and_the_director_are_assigned(two, school):
    log = Log.trigger(two.beck, school.mark)
    assert {row.user for row in Assignee.of(log)} == {school.alice, school.bob}
    log = Log.trigger(two.fell, school.carol)
    assert {row.user for row in Assignee.of(log)} == {school.alice}
    told = Notice.select().join(Event).where(Event.verb == "log:trigger")
    assert {n.user for n in told.where(Event.incident == two.fell.id)} == {school.alice}


def test_the_alarm_rings_where_it_is(two, school, monkeypatch):
    monkeypatch.setattr("models.case.incident.now", lambda: now() + LASTS * 30)
    assert Incident.alarm() == 3
    told = Notice.select(Notice, Event).join(Event).where(Event.verb == "incident:alarm")
    by_incident = {}
    for notice in told:
        by_incident.setdefault(notice.event.incident, set()).add(notice.user)
    assert by_incident == {
        two.beck.id: {school.alice, school.bob},
        two.fell.id: {school.alice},
        two.none.id: {school.alice},
    }


def test_somebody_is_left_who_decides_in_the_home(two, homes, school):
    """Bob leads Beck House only: were the director named in Fell View, nobody would be left."""
    with pytest.raises(Refused, match="Everyone who would decide"):
        Share.name_adult(two.fell, school.alice, "She was there.", school.carol)
    Share.name_adult(two.beck, school.alice, "She was there.", school.mark)
    with pytest.raises(Refused, match="not saved"):
        report(school, by=school.dina, child=homes.hanako, adults=[(school.alice, ABOUT)])


def test_a_second_signature_is_that_of_a_level_5_of_the_home(two, homes, school):
    triage(school, two.fell, by=school.carol, opens=True)
    case = Case.of(two.fell).get()
    assert not case.another(again(school.bob)) and case.another(again(school.alice))


# giving roles


def grants(user):
    rows = UserRole.select(UserRole, Role).join(Role).where(UserRole.user == user)
    return {(row.role.name, str(row.setting or "all")) for row in rows}


def test_a_role_for_one_more_home_waits_and_less_counts_at_once(homes, school):
    manager = role("Manager")
    beck, fell = (manager, homes.beck), (manager, homes.fell)
    assert edit_person(again(school.mark), school.ira, [beck, fell]) == 1
    assert grants(school.mark) == {("Manager", "Beck House")}
    waits = Proposal.get()
    assert waits.what == "give Mark Kowalczyk the role Manager for Fell View only"
    with pytest.raises(Refused, match="Only a Level 5"):
        waits.approve(by=again(school.bob))  # of Beck House: he does not see what it opens
    waits.approve(by=again(school.alice))
    assert grants(school.mark) == {("Manager", "Beck House"), ("Manager", "Fell View")}
    assert edit_person(again(school.mark), school.ira, [fell]) == 0, "less, at once"
    assert grants(school.mark) == {("Manager", "Fell View")}
    assert proof.history(TABLES)


def test_a_role_for_all_waits_and_what_they_have_stays_until_then(homes, school):
    manager = role("Manager")
    assert edit_person(again(school.mark), school.ira, [manager]) == 1
    assert grants(school.mark) == {("Manager", "Beck House")}
    waits = Proposal.get()
    assert waits.setting is None and "only" not in waits.what
    with pytest.raises(Refused, match="Only a Level 5"):
        waits.approve(by=again(school.bob))
    waits.approve(by=again(school.alice))
    assert grants(school.mark) == {("Manager", "all")}
    beck = (manager, homes.beck)
    assert edit_person(again(school.mark), school.ira, [beck]) == 0, "from all to one, at once"
    assert grants(school.mark) == {("Manager", "Beck House")}
    assert proof.history(TABLES)


def test_moving_a_role_to_another_home_ends_the_one_and_waits_for_the_other(homes, school):
    assert edit_person(again(school.mark), school.ira, [(role("Manager"), homes.fell)]) == 1
    assert grants(school.mark) == set() and Proposal.get().setting == homes.fell


def test_the_level_5_of_the_home_approve_what_opens_it_and_are_told(homes, school):
    before = Notice.select().count()
    edit_person(
        again(school.dave), school.ira, [(role("Staff"), homes.beck), (role("Manager"), homes.beck)]
    )
    waits = Proposal.get()
    told = {notice.user for notice in Notice.select().order_by(Notice.id).offset(before)}
    assert told == {school.alice, school.bob}
    assert Proposal.waiting_for(again(school.bob)) == [waits]
    waits.approve(by=again(school.bob))
    edit_person(
        again(school.dina), school.ira, [(role("Staff"), homes.fell), (role("Manager"), homes.fell)]
    )
    assert Proposal.waiting_for(again(school.bob)) == []
    assert len(Proposal.waiting_for(again(school.alice))) == 1


def test_an_account_that_reads_elsewhere_and_a_wider_role_are_not_theirs_to_approve(homes, school):
    Proposal.make(school.ira, "factor", user=again(school.carol))
    edit_role(role("Staff"), again(school.ira), 1, [*role("Staff").permissions, "incident:read"])
    factor, wider = Proposal.select().order_by(Proposal.id)
    for waits in (factor, wider):
        assert not waits.apart(again(school.bob)) and waits.apart(again(school.alice)), waits
    Proposal.make(school.ira, "factor", user=again(school.mark))
    mine = Proposal.select().order_by(Proposal.id.desc()).first()
    assert mine.apart(again(school.bob))


def test_a_code_brings_the_role_for_the_home_that_was_approved(cast, homes, school):
    edit_person(
        again(school.dave), school.ira, [(role("Staff"), homes.beck), (role("Manager"), homes.beck)]
    )
    page = cast.bob.press("proposal:approve", Proposal.get())
    assert ("Manager", "Beck House") not in grants(school.dave)
    cast.dave.sign_in().get("/account/")
    assert cast.dave.post("/account/code/", {"code": code_in(page)}).status_code == 200
    assert grants(school.dave) == {("Staff", "Beck House"), ("Manager", "Beck House")}


def test_a_director_who_can_approve_stays(homes, school):
    with pytest.raises(Refused) as refused:
        edit_person(again(school.alice), school.ira, [(role("DSL"), homes.beck)])
    assert "no active Level 5 who can approve" in refused.value.errors["roles"]
    assert grants(school.alice) == {("DSL", "all")}


def test_ira_gives_roles_in_rows(cast, homes, school):
    path = f"/user/edit/?id={school.mark.id}"
    page = cast.ira.get(path)
    assert re.search(r"<option selected>Manager</option>", page.text)
    assert re.search(r"<option selected>Beck House</option>", page.text)
    form = {key: value for key, value in person_form(school.mark).items() if key != "roles"}
    rows = {
        "role_rows-rows": "3",
        "role_rows-0-role": "Manager",
        "role_rows-0-place": "Beck House",
        "role_rows-1-role": "Manager",
        "role_rows-1-place": "Fell View",
    }
    page = cast.ira.post(path, form | rows)
    assert "waits for the approval of a Level 5" in page.text_only
    assert "the role Manager for Fell View only" in page.text_only
    assert "Manager for Beck House" in cast.ira.get(f"/user/details/?id={school.mark.id}").text_only
    page = cast.ira.post(path, form | rows | {"role_rows-1-place": ""})
    assert page.status_code == 422 and "both a role and what it is for" in page.text_only
    page = cast.ira.post(path, form | rows | {"role_rows-1-place": "Nowhere"})
    assert page.status_code == 422 and "is not on the list" in page.text_only
    page = cast.ira.get("/user/new/")
    new = {"name": "Nia Bell", "email": "nia@thornley.example", "job_title": "", "active": "yes"}
    rows = {"role_rows-rows": "1", "role_rows-0-role": "Staff", "role_rows-0-place": "Fell View"}
    assert cast.ira.post("/user/new/", new | rows).status_code == 200
    assert grants(User.get(User.name == "Nia Bell")) == {("Staff", "Fell View")}


# moving a child


def child_form(child, **more):
    fresh = Child.get_by_id(child.id)
    return {
        "version": fresh.version,
        "name": fresh.name,
        "date_of_birth": fresh.date_of_birth.isoformat(),
        "upn": fresh.upn or "",
        "year": fresh.year,
        "left_on": "",
    } | more


def test_only_somebody_who_looks_after_both_moves_a_child(cast, two, homes, school):
    path = f"/child/edit/?id={homes.zofia.id}"
    page = cast.mark.get(path)
    assert page.status_code == 200 and "setting" not in page.text and "Fell View" not in page.text
    page = cast.mark.post(path, child_form(homes.zofia, setting=homes.fell.id))
    assert Child.get_by_id(homes.zofia.id).setting == homes.beck, "not pushed"
    assert cast.carol.get(path).status_code == 404
    assert cast.carol.post(path, child_form(homes.zofia, setting=homes.fell.id)).status_code == 404
    assert Child.get_by_id(homes.zofia.id).setting == homes.beck, "and not pulled"
    assert "Fell View" in cast.alice.get(path).text
    page = cast.alice.post(path, child_form(homes.zofia, setting=homes.fell.id))
    assert page.status_code == 200 and Child.get_by_id(homes.zofia.id).setting == homes.fell


def test_what_was_reported_before_a_child_moved_stays_where_it_was(cast, two, homes, school):
    cast.alice.get(f"/child/edit/?id={homes.zofia.id}")
    cast.alice.post(
        f"/child/edit/?id={homes.zofia.id}", child_form(homes.zofia, setting=homes.fell.id)
    )
    assert seen(Incident, school.mark) == {two.beck} and seen(Incident, school.carol) == {two.fell}
    assert homes.zofia in seen(Child, school.carol) and homes.zofia not in seen(Child, school.mark)
    page = cast.carol.get(f"/child/details/?id={homes.zofia.id}")
    assert page.status_code == 200 and "INC-" not in page.text
    later = report(school, by=school.dina, child=Child.get_by_id(homes.zofia.id))
    assert later in seen(Incident, school.carol) and later not in seen(Incident, school.mark)
    assert proof.history(TABLES)


def test_the_first_home_of_a_child_takes_along_what_was_reported(cast, two, homes, school):
    """How an installation that had one home begins with two."""
    path = f"/child/edit/?id={homes.sion.id}"
    assert cast.mark.get(path).status_code == 404
    page = cast.alice.get(path)
    assert "None" in page.text
    cast.alice.post(path, child_form(homes.sion, setting=homes.fell.id))
    assert Incident.get_by_id(two.none.id).setting == homes.fell
    assert two.none in seen(Incident, school.carol) and two.none not in seen(Incident, school.mark)
    assert proof.history(TABLES)


def test_a_new_child_is_of_the_home_of_whoever_adds_them(cast, homes, school):
    form = {
        "name": "Ada Quist",
        "date_of_birth": "2012-05-04",
        "upn": "",
        "year": "",
        "left_on": "",
    }
    cast.carol.get("/child/new/")
    page = cast.carol.post("/child/new/", form | {"setting": homes.beck.id})
    assert page.status_code == 200 and Child.get(Child.name == "Ada Quist").setting == homes.fell
    UserRole.create(user=school.carol, role=role("Manager"), setting=homes.beck)
    page = cast.carol.post("/child/new/", form | {"name": "Ben Quist"})
    assert page.status_code == 422 and "Choose the school or home" in page.text_only
    cast.carol.post("/child/new/", form | {"name": "Ben Quist", "setting": homes.beck.id})
    assert Child.get(Child.name == "Ben Quist").setting == homes.beck
    cast.alice.get("/child/new/")
    page = cast.alice.post("/child/new/", form | {"name": "Cy", "setting": "99"})
    assert page.status_code == 422 and "cannot be chosen" in page.text_only


def test_the_right_child_decides_of_which_home_an_incident_is(two, homes, school):
    step_of("incident:correct_child")(
        two.beck, wrong=homes.zofia, child=homes.hanako, reason="Mixed up.", by=school.alice
    )
    assert seen(Incident, school.carol) == {two.beck, two.fell}
    assert two.beck not in seen(Incident, school.mark)
    assert two.beck in seen(Incident, school.dave), "he reported it"


# paper, lists, and one home


def test_letterhead_and_log_follow_the_home(two, homes, school):
    log = Log.trigger(two.fell, school.carol)
    assert (log.setting, log.urn, log.address) == ("Fell View", "SC2", "9 Fell Road")
    words = log.paper()
    assert "<b>Fell View</b>" in words and "9 Fell Road · 02" in words and "URN SC2" in words
    assert "Thornley Beck School" not in words and "Beck House" not in words
    other = Log.trigger(two.none, school.alice)
    assert other.setting == "Thornley Beck School" and "<b>Thornley Beck" in other.paper()


@pytest.mark.parametrize("page", ["/incident/", "/log/", "/case/", "/child/"])
def test_a_list_tells_the_homes_apart_for_those_who_look_after_both(cast, two, school, page):
    for incident in (two.beck, two.fell):
        Log.trigger(incident, school.alice)
    text = cast.alice.get(page).text
    assert text.count("Beck House</td>") == 1 + (page == "/child/") and "School or home" in text
    text = cast.alice.get(f"{page}?setting=Fell+View").text
    assert "Beck House</td>" not in text and text.count("Fell View</td>") == 1
    assert "山田 花子" in text and "Zofia" not in text
    text = cast.carol.get(page).text
    assert "School or home" not in text and "Fell View" not in text and "山田 花子" in text
    text = cast.carol.get(f"{page}?setting=Beck+House").text
    assert "Zofia" not in text and "Kamau" not in text


def test_triage_names_the_home_for_those_who_look_after_both(cast, two):
    assert "Beck House" in cast.alice.get("/triage/").text
    assert "Fell View" not in cast.carol.get("/triage/").text


def test_schools_and_homes_are_named_by_it_and_every_level_5_is_told(cast, homes, school):
    before = Notice.select().count()
    path = f"/setting/edit/?id={homes.fell.id}"
    cast.ira.get(path)
    form = {"version": "1", "name": "Fell Lodge", "urn": "", "address": "", "telephone": ""}
    page = cast.ira.post(path, form | {"retired": "no"})
    assert page.status_code == 200 and Setting.get_by_id(homes.fell.id).name == "Fell Lodge"
    told = {notice.user for notice in Notice.select().order_by(Notice.id).offset(before)}
    assert told == {school.alice, school.bob}
    cast.ira.get("/setting/new/")
    page = cast.ira.post("/setting/new/", form | {"name": "Beck House", "retired": "no"})
    assert page.status_code in (409, 422) and "already one with this name" in page.text_only
    assert proof.history(TABLES)


def test_a_retired_home_is_not_offered_and_what_is_of_it_stays(cast, two, homes, school):
    edit_setting(homes.fell, school.ira, retired=True)
    assert seen(Incident, school.carol) == {two.fell}
    assert "Fell View" not in cast.ira.get("/user/new/").text
    assert "<option selected>Fell View" in cast.ira.get(f"/user/edit/?id={school.carol.id}").text
    assert "Fell View" in cast.alice.get("/incident/").text


SHOWN = ["/", "/roll/new/", "/hand-over/", "/contact/", "/incident/", "/log/", "/case/", "/child/", "/triage/", "/incident/new/", "/child/new/",
         "/child/edit/?id=1", "/child/details/?id=1", "/incident/export/csv/", "/user/new/", "/user/edit/?id=3", "/user/details/?id=3"]  # fmt: skip


def plainly(text):
    """A page without what is anew each time."""
    token = r"[\w-]+\.[\w-]{6}\.[\w-]+"
    return re.sub(rf'{token}|(name="once"[^>]*value="|[?&]draft=)[^"&]*', "", text)


@pytest.mark.parametrize("path", SHOWN)
def test_with_one_home_nothing_of_it_is_seen(cast, school, incident, path):
    who = cast.ira if path.startswith("/user") else cast.alice
    who.get(path)
    with counted() as none:
        before = plainly(who.get(path).get_data(as_text=True))
    edit_setting(Setting(), school.ira, name="Beck House", urn="SC1", address="1 Beck Road")
    Notice.update(status="sent").execute()
    with counted() as one:
        after = plainly(who.get(path).get_data(as_text=True))
    assert before == after and "School or home" not in after and "Beck House" not in after
    assert len(none) == len(one)


@pytest.mark.parametrize("page", PAGES)
def test_two_homes_cost_at_most_the_look_at_their_names(cast, homes, two, page):
    """And nobody's role for all costs a condition more."""
    cast.alice.get(page)
    with counted() as statements:
        cast.alice.get(page)
    names = [sql for sql in statements if 'FROM "setting"' in sql and "COUNT" not in sql]
    assert len(names) <= 1 and not any('"setting_id" IN' in sql for sql in statements), page
    for _time in range(3):
        two_more = report(homes.school, by=homes.school.dave, child=homes.kamau)
        assert two_more.setting == homes.beck
    with counted() as more:
        cast.alice.get(page)
    assert len(more) == len(statements)


def test_somebody_without_a_role_sees_nothing(homes, two, school, app):
    UserRole.delete().where(UserRole.user == school.carol).execute()
    for model in (Incident, Log, Case, Child, Task):
        assert not seen(model, school.carol)
    assert again(school.carol).settings == [] and not again(school.carol).may("incident:read")
    person = Person(app, again(school.carol)).sign_in()
    assert person.get("/incident/").status_code == 403


def test_whoever_reported_in_the_other_home_reads_no_log_of_it(homes, school):
    """Carol reads every log of Fell View; what she reported in Beck House she sees, and no more."""
    incident = report(school, by=school.carol, child=homes.zofia)
    log = Log.trigger(incident, school.mark)
    triage(school, incident, by=school.mark, opens=True)
    Task.give(
        incident, school.mark, what="Ring", owner=school.mark, due_on=now().date(), visible=visible
    )
    assert incident in seen(Incident, school.carol) and log not in seen(Log, school.carol)
    assert not seen(Case, school.carol) and not seen(Triage, school.carol)
    assert not seen(Task, school.carol)
    assert school.carol not in [one for one, _why in who_sees_case(Case.of(incident).first())]
    assert not [one for one in seen(Event, school.carol) if one.incident]


def test_the_list_of_children_of_one_home(two, homes, school):
    heading = "Name,Date of birth,UPN\n"
    zofia, sion = (
        f"{one.name},{one.date_of_birth:%d/%m/%Y},{one.upn}\n" for one in (homes.zofia, homes.sion)
    )
    done, bad = roll.take(
        f"{heading}{zofia}{sion}Ada Quist,04/05/2012,\n".encode(), setting=homes.fell
    )
    assert len(bad) == 1 and "this child is of Beck House here" in bad[0]
    assert Child.get(Child.name == "Ada Quist").setting == homes.fell
    assert Child.get_by_id(homes.sion.id).setting == homes.fell
    assert Child.get_by_id(homes.zofia.id).setting == homes.beck
    assert two.none in seen(Incident, school.carol) and proof.history(TABLES)
    done, _bad = roll.take(f"{heading}{sion}".encode())
    assert Child.get_by_id(homes.sion.id).setting == homes.fell and "as they were: 1" in done[2]


def test_the_command_names_the_home(app, homes, school):
    file = school.folder / "list.csv"
    file.write_text("Name,Date of birth\nAda Quist,04/05/2012\n", encoding="utf-8")
    wrong = app.test_cli_runner().invoke(args=["children", str(file), "--home", "Nowhere"])
    assert wrong.exit_code and "no school or home called Nowhere" in wrong.output
    right = app.test_cli_runner().invoke(args=["children", str(file), "--home", "Beck House"])
    assert not right.exit_code, right.output
    assert Child.get(Child.name == "Ada Quist").setting == homes.beck


def test_what_is_shared_brings_neither_its_emails_nor_its_history(two, school):
    log = Log.trigger(two.beck, school.mark)
    Share.share(two.beck, school.carol, "Her deputy is away.", school.mark)
    assert log in seen(Log, school.carol)
    of_it = set(Notice.select().join(Event).where(Event.incident == two.beck.id))
    assert of_it and not of_it & seen(Notice, school.carol) and of_it <= seen(Notice, school.bob)
    UserRole.update(role=role("Head")).where(UserRole.user == school.carol).execute()
    assert not [one for one in seen(Event, school.carol) if one.incident == two.beck.id]
    assert [one for one in seen(Event, school.carol) if one.incident == two.fell.id]


def test_a_level_5_who_goes_to_the_other_home_takes_no_log_along(two, homes, school):
    """Assigned because he led Beck House; what somebody assigned to him by hand stays his."""
    by_hand = Log.trigger(report(school, by=school.dave, child=homes.kamau), school.mark)
    Assignee.update(by=school.alice).where(
        Assignee.log == by_hand, Assignee.user == school.bob
    ).execute()
    log = Log.trigger(two.beck, school.mark)
    assert {log, by_hand} == seen(Log, school.bob)
    UserRole.update(setting=homes.fell).where(UserRole.user == school.bob).execute()
    assert seen(Log, school.bob) == {by_hand} and two.beck not in seen(Incident, school.bob)
    for incident in Incident.select():
        listed = school.bob in [person for person, _why in who_sees(incident)]
        assert listed == (incident in seen(Incident, school.bob)), incident


def test_what_a_noun_asks_it_asks_of_a_record():
    asked = {}
    for file in Path(case_room.__file__).parent.glob("*.py"):
        found = re.findall(r'\b\w+\.may\("([a-z_:]+)"\)', file.read_text(encoding="utf-8"))
        asked |= dict.fromkeys(found, file.name)
    assert asked == {"section:read_restricted": "template.py"}, (
        "a role may be given for one school or home only: ask by.may(permission, record), or "
        "Incident.where_may(rows, by, permission) of many rows; a template is of none"
    )


# what hangs on an incident, and what is of a child


READS = ["incident:read", "child:read", "entry:read", "case:read", "contact:read", "task:read"]


@pytest.fixture
def hung(two, homes, school):
    """A row of each noun on the incident of Beck House, and of Zofia, who lives there."""
    rows = [
        *besides(school, two.beck, by=school.mark),
        *around(school, homes.zofia, by=school.mark),
    ]
    return SimpleNamespace(**{row.noun(): row for row in [*rows, Case.get()]})


@pytest.fixture
def reader(homes, school):
    """Carol manages Fell View, and reads in Beck House, without any work there."""
    only = Role.create(name="Reader", level=2, description="Reads.", permissions=READS)
    UserRole.create(user=school.carol, role=only, setting=homes.beck)
    return school.carol


OF_BOTH = [
    Contact, Escalation, Pack, Clarification, Feedback, Case, Triage, Category, Task,
    Submission, Entry, Scan, Flag, Mark, Relation, School, Absence,
]  # fmt: skip


def test_every_noun_is_seen_in_its_home_only(hung, school):
    for model in OF_BOTH:
        rows = set(model.select())
        assert rows and seen(model, school.mark) == rows, model
        assert seen(model, school.alice) == rows, model
        for stranger in (school.carol, school.connor, school.dina):
            assert seen(model, stranger) == set(), (model, stranger)
    assert seen(Extract, school.mark) == set(Extract.select()), "a copy is its maker's"
    named = {model.noun() for model in OF_BOTH}
    others = {"assignee", "attachment", "addendum", "document", "event", "incident", "involved"}
    others |= {"link", "log", "notice", "section", "share", "tracker", "extract"}
    every = {one.noun() for one in Base.every() if issubclass(one, OfIncident | OfChild)}
    assert every - others <= named, "a new noun: add it to OF_BOTH"


def test_both_sides_of_who_sees_a_child_agree(hung, reader, school):
    for user in User.select():
        for child in Child.select():
            listed = user in [person for person, _why in who_sees_child(child)]
            assert listed == (child in seen(Child, user)), (user, child)
    assert homes_of(school.carol) == {"Beck House", "Fell View"}


def homes_of(user):
    return {one.setting.name for one in seen(Child, user)}


def test_who_reads_in_a_home_does_none_of_its_work(app, cast, hung, reader, two, homes):
    """What her other home lets her do is offered nowhere here, and refused."""
    views = {view.endpoint: view for view in app.extensions["admin"][0]._views}
    pressed = 0
    for noun, record in vars(hung).items():
        view = views.get(noun)
        if not view or not view.action_view or record not in seen(type(record), reader):
            continue
        for step in view.steps:
            page = cast.carol.get(f"/{noun}/details/?id={record.id}&step={step.verb}")
            assert page.status_code == 200, noun
            assert f'value="{step.verb}"' not in page.text, f"the button of {step.verb}"
            assert cast.carol.press(step.verb, record).status_code == 403, step.verb
            pressed += 1
    assert pressed > 12
    child = f"child={homes.zofia.id}"
    paths = [f"/{noun}/new/?{child}" for noun in ("entry", "flag", "relation", "school", "extract")]
    paths += [f"/mark/new/?{child}&line=entry-{hung.entry.id}", f"/flag/edit/?id={hung.flag.id}"]
    nouns = ("contact", "clarification", "feedback", "task", "triage")
    paths += [f"/{noun}/new/?incident={two.beck.id}" for noun in nouns]
    paths += [f"/contact/copy/?id={Pack.get().id}", f"/child/edit/?id={homes.zofia.id}"]
    for path in paths:
        assert cast.carol.get(path).status_code == 403, path
        assert cast.mark.get(path).status_code == 200, path
    for path in (
        f"/child/details/?id={homes.zofia.id}",
        f"/incident/details/?id={two.beck.id}",
        f"/case/details/?id={hung.case.id}",
    ):
        page = cast.carol.get(path)
        assert page.status_code == 200, path
        theirs = re.findall(r'href="(/[a-z-]+/(?:new|edit)/\?[^"]*)"', page.text)
        assert not [one for one in theirs if "/incident/new/" not in one], path
        assert re.findall(r'href="(/[a-z-]+/(?:new|edit)/\?[^"]*)"', cast.mark.get(path).text), path


def test_what_waits_on_a_contact_a_flag_or_a_question_is_for_its_home(cast, hung, reader, school):
    long_ago = {"body": "MASH", "kind": "Referral", "at": now() - timedelta(days=30)}
    contact(school, hung.task.incident, school.mark, **long_ago)
    Flag.update(review_on=now().date()).execute()
    carol, mark = cast.carol.get("/").text_only, cast.mark.get("/").text_only
    assert "has not answered" in mark and "Flag: Young carer" in mark
    assert "has not answered" not in carol and "Flag: Young carer" not in carol


def test_a_shared_incident_brings_no_decision_contact_or_question(cast, hung, two, school):
    Share.share(two.beck, school.carol, "Her deputy is away.", school.mark)
    page, own = (one.get(f"/incident/details/?id={two.beck.id}") for one in (cast.carol, cast.mark))
    for told in (
        "A mark without an explanation",
        "Ann Pryce",
        "Which wrist?",
        "Clear, and at once",
    ):
        assert told not in page.text, told
    for told in ("Ann Pryce", "Which wrist?", "Clear, and at once"):
        assert told in own.text, told
    begins = re.compile("<select.*?</select>", re.S)  # which forms there are is no secret
    assert page.status_code == 200 and "MASH" not in begins.sub("", page.text)
    assert "MASH" in begins.sub("", own.text)


def test_history_tells_nothing_of_what_is_of_a_child_elsewhere(cast, hung, homes, school):
    UserRole.update(role=role("Head")).where(UserRole.user == school.carol).execute()
    Emergency.begin(again(school.connor), "Nobody is to be reached.")
    nouns = {"child", "entry", "flag", "relation", "school", "extract", "mark", "feedback"}
    theirs = {one.subject for one in seen(Event, school.bob)} & nouns
    assert {"child", "entry", "extract", "feedback"} <= theirs
    for event in seen(Event, school.carol):
        if event.subject == "child" and event.record:
            assert Child.get_by_id(event.record).setting == homes.fell, event.verb
        assert event.subject not in nouns - {"child"}, event.verb
    reasons = ["emergency:begin" in {one.verb for one in seen(Event, one)} for one in
               (school.alice, school.carol, school.bob)]  # fmt: skip
    assert reasons == [True, True, False]


def test_work_is_handed_over_within_the_home(cast, hung, reader, two, school):
    """Who hands over does so where they may, and who receives has a role for it there."""
    UserRole.create(user=school.alice, role=role("Manager"), setting=hung.task.incident.setting)
    assert holders(again(school.mark), visible) == [school.alice, school.mark]
    assert holders(again(school.carol), visible) == [], "she reads it, and looks after another home"
    assert not held(school.alice, again(school.carol), again(school.carol), visible)
    Share.share(two.beck, school.connor, "He drives him home.", school.mark)
    for holder, part in ((school.alice, "task"), (school.mark, "lead")):
        theirs = held(holder, again(school.connor), again(school.alice), visible)
        assert {one.part: one.why for one in theirs} == {
            part: "Connor Ó Briain may not hold it, by their role."
        }
    with pytest.raises(Refused, match="may not hold it, by their role"):
        key = f"task-{hung.task.id}-owner"
        hand_over(school.alice, again(school.connor), [key], again(school.mark), visible)
    assert hand_over(school.alice, school.bob, [f"task-{hung.task.id}-owner"], school.mark, visible)
    assert Task.get_by_id(hung.task.id).owner == school.bob
    page = cast.carol.get(f"/hand-over/?person={school.mark.name}&to={school.connor.name}")
    assert "Zofia" not in page.text and "CASE-" not in page.text


def test_nobody_is_asked_or_thanked_who_has_no_role_there(homes, school):
    by_dina = report(school, by=school.dina)  # of a child of Beck House; she works in Fell View
    with pytest.raises(Refused, match="has no role that answers here"):
        Clarification.ask(by_dina, school.mark, "Which wrist?", now().date())
    with pytest.raises(Refused, match="has no role that reads it here"):
        Feedback.give(by_dina, school.mark, "Thank you", "Clear.")
    by_dave = report(school, by=school.dave)
    assert Clarification.ask(by_dave, school.mark, "Which wrist?", now().date())
    assert Feedback.give(by_dave, school.mark, "Thank you", "Clear.")


def test_a_brother_in_the_other_home_is_named_nowhere(cast, homes, school):
    """A director wrote it down; each manager reads that there is another child, and no name."""
    kin = Relation.relate(homes.zofia, school.alice, kind="Brother or sister", other=homes.hanako)
    for path in (f"/relation/details/?id={kin.id}", f"/child/details/?id={homes.zofia.id}"):
        assert "山田 花子" not in cast.mark.get(path).text, path
        assert "山田 花子" in cast.alice.get(path).text, path
    assert cast.carol.get(f"/relation/details/?id={kin.id}").status_code == 404
    assert "Zofia" not in cast.carol.get(f"/child/details/?id={homes.hanako.id}").text


def test_a_pack_warns_of_no_name_of_the_other_home(homes, school):
    incident = report(school, by=school.dave, topic="With 山田 花子 and Ngũgĩ wa Kamau")
    made = referral(school, incident)
    assert families(made, again(school.mark)) == ["Ngũgĩ wa Kamau"]
    assert set(families(made, again(school.alice))) == {"Ngũgĩ wa Kamau", "山田 花子"}
    words = Pack.select().order_by(Pack.id.desc()).get().words
    assert "花子" not in words and "Kamau" not in words, "what leaves the house names neither"


# the list of children on the screen


LIST = "Name,Date of birth,UPN\n"


def row_of(child, name=None):
    return f"{name or child.name},{child.date_of_birth:%d/%m/%Y},{child.upn}\n"


def on_screen(person, content, **more):
    """The list handed in and matched by a person, and looked at by the server."""
    page = choose(person, content.encode(), **more)
    if page.status_code == 200:
        match(person, latest())
        upload.go_on()
    return page, latest() if Roll.select().exists() else None


def test_whoever_imports_for_several_chooses_the_home(cast, homes, school):
    page = cast.ira.get("/roll/new/")
    assert "School or home" in page.text and "Fell View" in page.text
    page, made = on_screen(cast.ira, f"{LIST}Ada Quist,04/05/2012,\n")
    assert page.status_code == 422 and "Choose whose list it is" in page.text_only and not made
    content = f"{LIST}{row_of(homes.zofia)}{row_of(homes.sion)}Ada Quist,04/05/2012,\n"
    _page, made = on_screen(cast.ira, content, setting=str(homes.fell.id))
    assert made.setting == homes.fell
    assert len(made.bad) == 1 and "this child is of Beck House here" in made.bad[0][2]
    assert made.found["counts"] == {"added": 1, "corrected": 1, "as they were": 0}
    assert made.found["absent"] == [homes.hanako.id] or made.found["unsure"]
    assert "The list of Fell View" in cast.ira.get(f"/roll/details/?id={made.id}").text
    press(cast.ira, made)
    upload.go_on()
    assert latest().status == "imported"
    assert Child.get(Child.name == "Ada Quist").setting == homes.fell
    assert "roll" not in {one.subject for one in seen(Event, school.bob)}, "of another home"
    assert "roll" in {one.subject for one in seen(Event, school.alice)}
    assert Child.get_by_id(homes.sion.id).setting == homes.fell
    assert Child.get_by_id(homes.zofia.id).setting == homes.beck
    assert proof.history(TABLES)


def test_the_list_of_whoever_looks_after_one_home_is_of_that(cast, two, homes, school):
    """Mark imports for Beck House: he chooses nothing, learns no home, and takes in nobody who is
    of another or of none, whatever the form sends.
    """
    assert "School or home" not in cast.mark.get("/roll/new/").text
    content = LIST + "".join(map(row_of, (homes.zofia, homes.kamau, homes.hanako, homes.sion)))
    content += "Ada Quist,04/05/2012,\n"
    _page, made = on_screen(cast.mark, content, setting=str(homes.fell.id))
    assert made.setting == homes.beck and made.found["absent"] == []
    assert made.found["counts"] == {"added": 1, "corrected": 0, "as they were": 2}
    page = cast.mark.get(f"/roll/details/?id={made.id}").text_only
    assert len(made.bad) == 2 and "Fell View" not in page and "Beck House" not in page
    press(cast.mark, made)
    upload.go_on()
    assert Child.get(Child.name == "Ada Quist").setting == homes.beck
    assert Child.get_by_id(homes.hanako.id).setting == homes.fell
    assert Child.get_by_id(homes.sion.id).setting is None
    assert two.none not in seen(Incident, school.mark), "nobody gains by a list"


def test_a_list_is_imported_by_a_role_in_its_home(cast, homes, school):
    _page, made = on_screen(cast.mark, f"{LIST}Ada Quist,04/05/2012,\n")
    UserRole.update(setting=homes.fell).where(UserRole.user == school.mark).execute()
    assert press(cast.mark, made).status_code == 403
    Roll.update(status="importing", counts=dict.fromkeys((*roll.DONE, "left"), 0)).execute()
    upload.go_on()
    assert latest().status == "stopped" and not Child.select().where(Child.name == "Ada Quist")


def test_who_leaves_by_a_list_is_of_its_home(cast, homes, school):
    extra = [Child.create(name=f"Ada Quist{n}", date_of_birth=date(2012, 5, 4), setting=homes.beck)
             for n in ("a", "b", "c")]  # fmt: skip
    content = LIST + row_of(homes.zofia) + row_of(homes.kamau)
    content += "".join(f"{one.name},04/05/2012,\n" for one in extra[1:])
    _page, made = on_screen(cast.mark, content)
    assert made.found["absent"] == [extra[0].id], made.found
    press(cast.mark, made, leavers="Mark them as left, from today")
    upload.go_on()
    assert Child.get_by_id(extra[0].id).left_on
    assert not Child.get_by_id(homes.hanako.id).left_on


def test_what_a_case_lacks_in_the_other_home_is_not_told(cast, hung, homes, school):
    """Zofia moved to Fell View, and a director put what was reported there into her case."""
    Child.update(setting=homes.fell).where(Child.id == homes.zofia.id).execute()
    later = report(school, by=school.dina, child=again_child(homes.zofia))
    Case.get().take_in(later, school.alice)
    day = now().date()
    Task.give(
        later, school.carol, what="Ring the aunt", owner=school.carol, due_on=day, visible=visible
    )
    path = f"/case/details/?id={hung.case.id}"
    mark, alice = cast.mark.get(path), cast.alice.get(path)
    assert "Ring the aunt" in alice.text and "Something that you may not see" not in alice.text
    assert "Ring the aunt" not in mark.text and "Something that you may not see" in mark.text
    assert "Task: Ring" in mark.text_only, "of his own home all"
    assert cast.carol.get(path).status_code == 404


def again_child(child):
    return Child.get_by_id(child.id)


def test_packs_and_copies_of_a_chronology_bear_the_name_of_the_home(hung):
    for words in (Pack.get().words, hung.extract.words):
        assert "Beck House" in words and "SC1" in words and "1 Beck Road" in words
        assert "Thornley Beck School" not in words


def test_the_email_of_the_day_reminds_of_nothing_in_a_home_one_left(hung, homes, school):
    Case.update(lead=school.mark, status="monitoring", monitor_until=now().date()).execute()
    Task.update(owner=school.mark).execute()
    said = " ".join(reminders(again(school.mark), visible))
    assert "case of yours" in said and "task of yours" in said
    UserRole.update(setting=homes.fell).where(UserRole.user == school.mark).execute()
    assert reminders(again(school.mark), visible) == []


def test_entries_are_read_where_the_role_that_opens_them_is(hung, homes, school):
    """Carol opens entries in Fell View; in Beck House her role opens only the list of children."""
    only = Role.create(name="Lister", level=2, description="Lists.", permissions=["child:read"])
    UserRole.create(user=school.carol, role=only, setting=homes.beck)
    assert seen(Flag, school.carol) == {hung.flag} and homes.zofia in seen(Child, school.carol)
    assert seen(Entry, school.carol) == seen(Scan, school.carol) == set()
    assert seen(Entry, school.mark) == {hung.entry}


# pages that ask this of no record: lists, menus, forms and what is the reader's own
OF_NONE = {
    "admin_views": [
        "case:confirm", "contact:add", "contact:approve_pack", "contact:pack", "counts:read", "emergency:begin", "event:read",
        "log:read", "log:read_all", "log:trigger", "notice:read", "proposal:approve", "task:done",
        "user:edit",
    ],
    "templates": [
        "choice:edit", "emergency:begin", "event:read_all", "incident:report", "log:read",
        "log:read_all", "notice:release", "notice:retry", "task:done", "template:edit",
    ],
}  # fmt: skip


@pytest.mark.parametrize("folder", OF_NONE)
def test_what_a_page_asks_it_asks_of_the_record_that_it_shows(folder):
    asked = set()
    for file in (Path(case_room.__file__).parents[2] / folder).rglob("*.*"):
        if file.suffix in (".py", ".html"):
            asked |= set(re.findall(r'\.may\("([a-z_:]+)"\)', file.read_text(encoding="utf-8")))
    assert sorted(asked) == OF_NONE[folder], "ask may(permission, record) of what is one record's"
