"""What somebody without an account hands in: the code, the form, need to know, and what it becomes."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from admin_views import report_here
from models import (
    Attempt,
    Draft,
    Event,
    Incident,
    Notice,
    Refused,
    Relation,
    Role,
    Session,
    Setting,
    Share,
    Slip,
    SlipShut,
    User,
    UserRole,
    VisitorPass,
    visible,
)
from models.access import visitor_pass
from models.case.incident import ABOUT, GO_ELSEWHERE
from models.ground import clock
from models.ground.clock import now
from models.policy import events

from .conftest import fits, handed_over, slip
from .person import Person

SENT = {
    "writer": "Jo Field", "writer_role": "Supply teacher", "writer_contact": "01632 960777", "child_name": "Sofia in Year 6, I think",
    "about_adult": "no", "noticed_at": "2026-03-04T09:15", "happened": "Approximate", "happened_at": "2026-03-04T09:00", "place": "Classroom",
    "known": "I saw or heard it", "what_happened": "She flinched when I raised the blind.", "child_words": "“Don’t.”", "immediate_danger": "no",
    "immediate_action": "I told reception.", "told_dsl": "yes", "told_whom": "Mrs Brennan", "told_dsl_at": "2026-03-04T09:20",
}  # fmt: skip


@pytest.fixture
def jo(school):
    """A supply teacher at the computer of the reception."""
    return Person(school.app, None)


def typing(person, code):
    person.get("/report-here")
    return person.post("/report-here", {"code": code})


def own(page):
    """The code that the page gives to whoever writes."""
    return re.search(r"Write this down: (\w{4}-\w{4}-\w{4})\.", page.text_only)[1]


def sending(person, **more):
    return person.post("/report-here/form", SENT | more)


def later(monkeypatch, **gone):
    """The clock of the models goes on."""
    moment = clock.now() + timedelta(**gone)
    for module in (visitor_pass, report_here):
        monkeypatch.setattr(module, "now", lambda: moment)


def test_from_the_code_to_the_incident(jo, cast, school):
    cast.alice.get("/visitor-pass/new/")
    made = cast.alice.post(
        "/visitor-pass/new/", {"for_whom": "Jo Field, supply teacher", "lasts": "4 hours"}
    )
    code = re.search(r"is (\w{4}-\w{4}-\w{4})\.", made.text_only)[1]
    assert code.replace("-", "") not in str(list(VisitorPass.select().dicts())), (
        "only a hash is kept"
    )
    assert code not in cast.alice.get(f"/visitor-pass/details/?id={VisitorPass.get().id}").text
    page = typing(jo, code.lower().replace("-", " "))
    assert page.request.path == "/report-here/form" and "What happened" in page.text_only
    assert not any(one.name in page.text for one in school.children), "no list of children"
    page = sending(jo)
    one = Slip.get()
    assert "Your report arrived" in page.text_only and one.reference in page.text_only
    assert "Sofia" not in page.text and "flinched" not in page.text
    assert "flinched" not in jo.get("/report-here/form", follow_redirects=True).text
    told = {notice.user.name for notice in Notice.select() if notice.event.verb == "slip:hand_in"}
    assert told == {"Alice Brennan", "Bob Adeyemi", "Carol Vaughan-Ŵyn"}
    assert all("Sofia" not in notice.body + notice.subject for notice in Notice.select())
    for place in ("/triage/", "/"):
        assert "Sofia in Year 6" in cast.carol.get(place).text_only
    page = cast.carol.get(f"/slip/details/?id={one.id}")
    assert "“Don’t.”" in page.text_only and "01632 960777" in page.text_only
    page = cast.carol.press("slip:take_up", one, child=school.child.label, alert="yes")
    incident = Incident.get()
    assert (
        page.request.path == "/incident/details/" and "Jo Field, Supply teacher" in page.text_only
    )
    assert (incident.child, incident.reported_by) == (school.child, school.carol)
    assert incident.what_happened == SENT["what_happened"] and incident.child_words == "“Don’t.”"
    assert (incident.told_dsl, incident.told_whom) == (True, "Mrs Brennan")
    assert incident.told_dsl_at == one.told_dsl_at
    assert incident.noticed_at == one.noticed_at and incident.happened_at == one.happened_at
    assert (incident.written_at, incident.written_by) == (one.at, "Jo Field, Supply teacher")
    assert incident.reported_at >= one.at and incident.status == "to decide"
    fresh = Slip.get()
    assert (fresh.status, fresh.incident, fresh.what_happened) == ("taken up", incident, SENT["what_happened"])  # fmt: skip
    assert "Sofia in Year 6" not in cast.carol.get("/triage/").text_only, "it waits no more"
    again = cast.carol.press("slip:take_up", one, child=school.child.label, alert="yes")
    assert again.status_code == 409 and Incident.select().count() == 1
    fits()


def test_a_child_on_the_roll_and_one_who_is_not_are_answered_alike(school):
    pages = []
    for name in (school.child.name, "Nobody Whatever"):
        made = handed_over(school)
        person = Person(school.app, None)
        typing(person, made.fresh_code)
        text = sending(person, child_name=name).text_only
        text = text.replace(Slip.get(Slip.visitor_pass == made).reference, "")
        pages.append(re.sub(r"\d\d:\d\d", "", text))
    assert pages[0] == pages[1] and "arrived" in pages[0]


@pytest.mark.parametrize("who", ["dave", "connor", "grace", "ira"])
def test_who_may_neither_make_a_code_nor_read(who, cast, school):
    one, person = slip(school), getattr(cast, who)
    person.get("/")
    data = {"for_whom": "Me", "lasts": "7 days"}
    assert person.post("/visitor-pass/new/", data).status_code == 403
    for path in ("/slip/", f"/slip/details/?id={one.id}", "/visitor-pass/"):
        page = person.get(path)
        assert page.status_code == 403 and "flinched" not in page.text
    pressed = person.press("slip:take_up", one, child=school.child.label, alert="no")
    assert pressed.status_code == 403 and Slip.get().status == "new"
    assert VisitorPass.select().count() == 1


def test_a_manager_makes_a_code_and_reads_nothing_until_it_is_an_incident(cast, school):
    """It reads to the DSL and who stands in for them alone."""
    one = slip(school, handed_over(school, school.mark))
    assert not Notice.select().where(Notice.user == school.mark).exists()
    assert cast.mark.get(f"/slip/details/?id={one.id}").status_code == 403
    for path in ("/triage/", "/", "/event/"):
        text = cast.mark.get(path).text
        assert "Sofia" not in text and one.reference not in text
    one.take_up(school.child, True, by=school.carol)
    incident = Incident.get()
    assert "flinched" in cast.mark.get(f"/incident/details/?id={incident.id}").text


def test_the_permission_given_to_the_office_waits_for_a_level_5(cast, school):
    role = Role.get(Role.name == "Governor")
    cast.ira.get(f"/role/edit/?id={role.id}")
    known = {"name": role.name, "level": role.level, "description": role.description}
    chosen = {"permissions": [*role.permissions, "visitor_pass:make"]}
    cast.ira.get(f"/role/edit/?id={role.id}")
    cast.ira.post(f"/role/edit/?id={role.id}", known | chosen | {"version": role.version})
    assert "visitor_pass:make" not in Role.get_by_id(role.id).permissions
    assert not User.get_by_id(school.grace.id).may("visitor_pass:make")


def test_the_office_makes_codes_and_does_not_learn_whether_one_was_used(cast, school):
    role = Role.create(name="Office", level=0, permissions=["visitor_pass:make"])
    UserRole.create(user=school.grace, role=role)
    used, unused = handed_over(school, school.grace), handed_over(school, school.grace)
    slip(school, used)
    pages = [cast.grace.get(f"/visitor-pass/details/?id={one.id}").text_only for one in (used, unused)]  # fmt: skip
    assert pages[0].replace(f"id={used.id}", "") == pages[1].replace(f"id={unused.id}", "")
    answers = [cast.grace.press("visitor_pass:withdraw", one, "visitor-pass") for one in (used, unused)]  # fmt: skip
    assert [one.status_code for one in answers] == [200, 200]
    assert cast.grace.get("/slip/").status_code == 403
    assert Slip.get().what_happened, "what was handed in stays"


def test_the_adult_whom_it_is_about_reads_nothing_of_it(cast, school):
    one = slip(school, about_adult=True, adult="Mr Bob Adeyemy")
    assert SlipShut.of(one) == {school.bob.id}, "misspelt, and found all the same"
    assert not Notice.select().where(Notice.user == school.bob).exists()
    for path in ("/slip/", "/triage/", "/", f"/slip/details/?id={one.id}", "/event/"):
        assert "flinched" not in cast.bob.get(path).text and one.reference not in cast.bob.get(path).text  # fmt: skip
    assert cast.bob.get(f"/slip/details/?id={one.id}").status_code == 404
    page = cast.alice.get(f"/slip/details/?id={one.id}")
    assert re.search(r'name="named"\s+value="\d+" checked', page.text), "ticked until taken off"
    cast.alice.press("slip:take_up", one, child=school.child.label, alert="no", named=school.bob.id)
    incident = Incident.get()
    assert cast.bob.get(f"/incident/details/?id={incident.id}").status_code == 404
    assert cast.bob.get(f"/slip/details/?id={one.id}").status_code == 404
    assert not events(school.bob).where(Event.subject == "slip").exists()
    assert [row.part for row in incident.involveds] == [ABOUT]


def test_whom_the_name_does_not_mean_is_let_in_and_the_history_says_so(cast, school):
    one = slip(school, about_adult=True, adult="Carol, the dinner lady")
    cast.alice.get(f"/slip/details/?id={one.id}")
    cast.alice.press("slip:take_up", one, child=school.child.label, alert="no")
    incident = Incident.get()
    assert not list(incident.involveds) and "Carol, the dinner lady" in incident.other_adults
    event = Event.get(Event.verb == "slip:take_up")
    assert event.detail["not_named"] == [school.carol.label]
    assert cast.carol.get(f"/incident/details/?id={incident.id}").status_code == 200
    assert cast.carol.get(f"/slip/details/?id={one.id}").status_code == 404, "that stays shut"


def test_an_adult_whom_nobody_knows_is_read_by_level_5_alone(cast, school):
    one = slip(school, about_adult=True, adult="Zebedee")
    assert cast.carol.get(f"/slip/details/?id={one.id}").status_code == 404
    assert cast.alice.get(f"/slip/details/?id={one.id}").status_code == 200
    told = {n.user_id for n in Notice.select() if n.event.verb == "slip:hand_in"}
    assert told == {school.alice.id, school.bob.id} == {p.id for p in one.readers()}


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("the headteacher", "Bob Adeyemi"), ("Head", "Bob Adeyemi"), ("the Principal", "Bob Adeyemi"),
        ("the DSL", "Alice Brennan"), ("deputy head", "Alice Brennan"),
        ("the designated safeguarding lead", "Alice Brennan"),
        ("Sara, the head", "Bob Adeyemi"), ("Bob, the headmaster", "Bob Adeyemi"),
    ],
)  # fmt: skip
def test_who_is_meant_by_their_office_reads_nothing_of_it(said, about, school):
    """Also where a colleague's name is like a word of it (Leah: lead), or the first name."""
    for name in ("Leah Heath", "Sara Woods"):
        User.create(name=name, email=f"{name[:3]}@thornley.example", job_title="Cook")
    one = slip(school, about_adult=True, adult=said)
    readers = {person.name for person in one.readers()}
    assert about not in readers and readers & {"Alice Brennan", "Bob Adeyemi"}, "the other reads it"


def test_another_head_is_not_the_head(school):
    nia = User.create(name="Nia Flood", email="n@thornley.example", job_title="Head of music")
    UserRole.create(user=nia, role=Role.get(Role.name == "Staff"))
    one = slip(school, about_adult=True, adult="Head of music")
    assert [person.name for person in SlipShut.named(one)] == ["Nia Flood"]


def test_readers_and_rows_are_one_rule(school):
    rows = [
        slip(school),
        slip(school, about_adult=True, adult="Alice Brennan"),
        slip(school, about_adult=True, adult="Zebedee"),
        slip(school, about_adult=True, adult="Adeyemi"),
    ]
    for one in rows:
        seen = {p.id for p in User.select() if visible(Slip, p).where(Slip.id == one.id).exists()}
        assert seen == {p.id for p in one.readers()}


def test_about_all_who_would_decide_it_goes_elsewhere_with_the_text_given_back(jo, school):
    typing(jo, handed_over(school).fresh_code)
    page = sending(jo, about_adult="yes", adult="Brennan and Adeyemi")
    assert page.status_code == 422 and GO_ELSEWHERE[:40] in page.text_only
    assert "She flinched" in page.text and not Slip.select().exists()
    assert "go to the head" in page.text_only and "LADO" in page.text_only


def test_a_relative_of_a_child_of_that_name_reads_nothing(cast, school):
    Relation.relate(school.child, school.alice, kind="Aunt or uncle", user=school.carol)
    one = slip(school, child_name="Zofia Lukasiewicz")
    assert SlipShut.of(one) == {school.carol.id}
    assert cast.carol.get(f"/slip/details/?id={one.id}").status_code == 404
    other = slip(school, child_name="Zofia Okafor")
    assert SlipShut.of(other) == set(), "one word in two is another child"


def test_a_guess_a_code_that_is_over_or_withdrawn_opens_nothing(jo, school, monkeypatch):
    made, gone = handed_over(school, lasts="4 hours"), handed_over(school)
    gone.withdraw(by=school.carol)
    for code in ("ABCD-EFGH-JKLM", gone.fresh_code, "", "\0", "x" * 5000):
        page = typing(jo, code)
        assert page.status_code == 422 and page.request.path == "/report-here"
        Attempt.delete().execute()
    later(monkeypatch, hours=5)
    assert "opens nothing" in typing(jo, made.fresh_code).text_only
    assert not Slip.select().exists()


def test_guesses_are_limited_for_one_address_and_for_nobody_else(school):
    made = handed_over(school)
    thief = Person(school.app, None)
    answers = [typing(thief, f"ABCDEFGHJK{one}{one}").text_only for one in "ABCDEF"]
    assert all("opens nothing" in text for text in answers[:5])
    assert "Too many attempts" in answers[5]
    assert "Too many attempts" in typing(thief, made.fresh_code).text_only, "not even the right one"
    other = Person(school.app, None)
    other.get("/report-here")
    page = other.post(
        "/report-here", {"code": made.fresh_code}, environ_overrides={"REMOTE_ADDR": "10.0.0.9"}
    )
    assert page.request.path == "/report-here/form"


def test_one_report_for_each_code(jo, school):
    made = handed_over(school)
    typing(jo, made.fresh_code)
    first = sending(jo).text_only
    assert Slip.get().reference in first
    same = sending(jo)  # the answer was lost, and it is sent again
    assert "arrived" in same.text_only and Slip.select().count() == 1
    other = sending(jo, what_happened="Something else, of which I thought later.")
    assert other.status_code == 422 and "Something else" in other.text
    assert "Ask for another code" in other.text_only and Slip.select().count() == 1
    more = sending(jo, what_happened="Something else.", code=handed_over(school).fresh_code)
    assert "arrived" in more.text_only and Slip.select().count() == 2
    assert Event.select().where(Event.verb == "slip:hand_in").count() == 2


@pytest.mark.both
def test_twenty_at_once_are_one(school):
    made = handed_over(school)

    def send(number):
        from models import db

        with db.connection_context():
            try:
                return slip(school, made, what_happened=f"Number {number}.").reference
            except Refused as refused:
                assert "already" in str(refused)

    from models import db

    db.close()
    with ThreadPoolExecutor(8) as pool:
        found = [one for one in pool.map(send, range(20)) if one]
    db.connect()
    assert len(found) == 1 == Slip.select().count()
    fits()


def test_withdrawn_while_it_is_written_and_another_code_saves_it(jo, school):
    made = handed_over(school)
    typing(jo, made.fresh_code)
    made.withdraw(by=school.carol)
    page = sending(jo)
    assert page.status_code == 422 and "She flinched" in page.text and not Slip.select().exists()
    assert 'name="code"' in page.text
    assert "arrived" in sending(jo, code=handed_over(school).fresh_code).text_only


def test_who_began_in_time_may_finish_and_after_that_has_the_text_back(jo, school, monkeypatch):
    typing(jo, handed_over(school, lasts="4 hours").fresh_code)
    later(monkeypatch, hours=7)
    page = sending(jo)
    assert page.status_code == 422 and "She flinched" in page.text
    monkeypatch.undo()
    later(monkeypatch, hours=5)
    assert sending(jo).status_code == 200 and Slip.select().count() == 1


def test_who_began_in_time_may_come_back_to_it_for_as_long(jo, school, monkeypatch):
    made, other = handed_over(school, lasts="4 hours"), handed_over(school, lasts="4 hours")
    mine = own(typing(jo, made.fresh_code))
    jo.post("/report-here/form", {"draft": "script", "what_happened": "Half of it"})
    later(monkeypatch, hours=5)
    assert "opens nothing" in typing(Person(school.app, None), other.fresh_code).text_only
    page = typing(Person(school.app, None), mine)
    assert "Half of it" in page.text
    monkeypatch.undo()
    later(monkeypatch, hours=7)
    assert "opens nothing" in typing(Person(school.app, None), mine).text_only


def test_a_session_that_is_lost_gives_the_text_back(jo, school):
    made = handed_over(school)
    typing(jo, made.fresh_code)
    jo.client.delete_cookie("session")
    page = sending(jo)
    assert page.status_code == 400 and "She flinched" in page.text_only, "given back to be copied"
    jo.get("/report-here")
    page = sending(jo)  # a form that was drawn anew, without a code
    assert page.status_code == 422 and "She flinched" in page.text and "Nothing you wrote is lost" in page.text_only  # fmt: skip
    assert "arrived" in sending(jo, code=made.fresh_code).text_only


def test_what_is_kept_is_there_for_who_wrote_it_and_not_for_who_made_the_code(jo, cast, school):
    """At reception they know the code that they made; with it they read nothing of what is begun."""
    made = handed_over(school)
    first = own(typing(jo, made.fresh_code))
    jo.post("/report-here/form", {"draft": "script", "what_happened": "Half of it"})
    assert "Half of it" in jo.get("/report-here/form").text
    assert "Half of it" in typing(jo, made.fresh_code).text, "in the browser that wrote it"
    for person in (Person(school.app, None), cast.carol):
        page = typing(person, made.fresh_code)
        assert page.status_code == 422 and "opens nothing" in page.text_only
        assert "Half of it" not in person.get("/report-here/form", follow_redirects=True).text
    elsewhere = Person(school.app, None)
    page = typing(elsewhere, first)
    assert "Half of it" in page.text and "Write this down" not in page.text_only
    assert "Half of it" not in str(list(Event.select().dicts())), "the history has none of it"
    assert first not in str(VisitorPass.select().dicts().get()), "only a hash is kept"
    assert "arrived" in sending(elsewhere).text_only
    assert VisitorPass.get().draft is None and not Draft.select().exists()


def test_kept_on_purpose_with_a_code_that_is_shown_once(jo, school):
    made = handed_over(school)
    first = own(typing(jo, made.fresh_code))
    page = jo.post("/report-here/form", {"draft": "leave", "what_happened": "Half of it"})
    fresh = own(page)
    assert "not sent yet" in page.text_only and "Half of it" not in page.text
    assert "Clear this screen" in page.text_only
    assert fresh not in jo.get("/report-here").text
    for code in (made.fresh_code, first):
        assert "opens nothing" in typing(jo, code).text_only
    assert "Half of it" in typing(jo, fresh).text
    assert "arrived" in sending(jo).text_only


def test_two_browsers_with_one_code_and_the_second_loses_nothing(jo, school):
    made, other = handed_over(school), Person(school.app, None)
    typing(jo, made.fresh_code), typing(other, made.fresh_code)
    jo.post("/report-here/form", {"draft": "script", "what_happened": "Hers"})
    page = other.post("/report-here/form", {"draft": "script", "what_happened": "The thief’s"})
    assert page.status_code == 422 and "The thief’s" in page.text and "Hers" not in page.text
    page = sending(other)
    assert page.status_code == 422 and "She flinched" in page.text and not Slip.select().exists()
    assert VisitorPass.get().draft == [["what_happened", "Hers"]]
    assert "Hers" in jo.get("/report-here/form").text


def test_two_who_begin_at_the_same_moment_and_one_keeps(school):
    made = handed_over(school)
    made.write([("what_happened", "Hers")], "her hash")
    with pytest.raises(Refused):
        made.write([("what_happened", "His")], "his hash")
    assert VisitorPass.get().draft == [["what_happened", "Hers"]]


def test_the_next_person_at_that_computer_is_shown_nothing(jo, school, monkeypatch):
    typing(jo, handed_over(school).fresh_code)
    jo.post("/report-here/form", {"draft": "script", "what_happened": "Half of it"})
    monkeypatch.setattr(report_here, "IDLE", -1)
    assert "Half of it" not in jo.get("/report-here/form", follow_redirects=True).text
    assert "arrived" in sending(jo).text_only, "whoever still has the page sends it"


def test_a_used_code_is_answered_as_a_wrong_one(jo, school):
    made = handed_over(school)
    typing(jo, made.fresh_code)
    sending(jo)
    office = Person(school.app, None)
    used, wrong = typing(office, made.fresh_code), typing(office, "ABCD-EFGH-JKLM")
    assert used.status_code == wrong.status_code == 422
    assert "opens nothing" in used.text_only and Slip.get().reference not in used.text_only
    assert used.text_only == wrong.text_only


def test_in_the_browser_of_a_colleague_it_is_nobodys(cast, school):
    made = handed_over(school)
    page = typing(cast.dave, made.fresh_code)
    assert page.request.path == "/report-here/form" and "Sign out" not in page.text
    assert "Dave Pritchard" not in page.text
    sending(cast.dave)
    assert not visible(Slip, school.dave).exists() and not Draft.select().exists()


def test_contradictions_are_told_and_nothing_is_lost(jo, school):
    typing(jo, handed_over(school).fresh_code)
    for more, said in (
        ({"happened_at": "2026-03-05T09:00"}, "before it happened"),
        ({"noticed_at": "2999-01-01T00:00"}, "in the future"),
        ({"about_adult": "yes"}, "name of the adult"),
        ({"adult": "Mr Smith"}, "answer Yes"),
        ({"writer": ""}, "Give your full name"),
        ({"child_name": " "}, "or describe the child"),
    ):
        page = sending(jo, **more)
        assert page.status_code == 422 and said in page.text_only and "She flinched" in page.text
    assert not Slip.select().exists()


def test_set_aside_by_a_level_5_with_a_reason(cast, school):
    one = slip(school)
    assert cast.carol.press("slip:set_aside", one, reason="A test.").status_code == 403
    cast.alice.get(f"/slip/details/?id={one.id}")
    assert cast.alice.press("slip:set_aside", one, reason="").status_code == 422
    assert cast.alice.press("slip:set_aside", one, reason="A test.").status_code == 200
    assert Slip.get().status == "set aside"
    late = cast.alice.press("slip:take_up", one, child=school.child.label, alert="no")
    assert late.status_code == 409 and not Incident.select().exists()


def test_nobody_took_it_up_in_time(school, monkeypatch):
    one = slip(school, about_adult=True, adult="Bob Adeyemi")
    assert Slip.alarm() == 0
    from models.case import slip as module

    monkeypatch.setattr(module, "now", lambda: now() + timedelta(hours=5))
    assert (Slip.alarm(), Slip.alarm()) == (1, 0)
    event = Event.get(Event.verb == "slip:alarm")
    told = {notice.user_id for notice in Notice.select().where(Notice.event == event)}
    assert told == {person.id for person in one.readers()} and school.bob.id not in told


def test_in_each_school_its_own(school):
    north, south = Setting.create(name="North"), Setting.create(name="South")
    team = Role.get(Role.name == "Safeguarding team")
    UserRole.delete().where(UserRole.user == school.carol).execute()
    UserRole.create(user=school.carol, role=team, setting=north)
    carol = User.get_by_id(school.carol.id)
    made = [slip(school, handed_over(school, setting=one)) for one in (north, south)]
    assert [one.id for one in visible(Slip, carol)] == [made[0].id]
    assert [one.setting for one in visible(VisitorPass, carol)] == [north]
    assert carol.id not in {person.id for person in made[1].readers()}


def test_the_history_tells_a_head_nothing_of_what_is_about_them(cast, school):
    one = slip(school, about_adult=True, adult="Bob Adeyemi")
    assert not events(school.bob).where(Event.subject == "slip").exists()
    assert events(school.alice).where(Event.subject == "slip").count() == 1
    assert one.reference not in cast.bob.get("/event/").text
    assert one.reference in cast.alice.get("/event/").text


def test_whoever_is_shut_out_of_the_incident_reads_no_slip_either(cast, school):
    one = slip(school)
    one.take_up(school.child, True, by=school.alice)
    assert cast.carol.get(f"/slip/details/?id={one.id}").status_code == 200
    Share.name_adult(Incident.get(), school.carol, "The child said so.", school.alice)
    assert cast.carol.get(f"/slip/details/?id={one.id}").status_code == 404
    assert not visible(Slip, school.carol).exists()


def test_a_colleagues_session_that_ended_keeps_no_visitors_words(cast, school):
    typing(cast.dave, handed_over(school).fresh_code)
    Session.end_all(school.dave)
    page = sending(cast.dave)
    assert "arrived" in page.text_only and Slip.select().count() == 1
    assert not Draft.select().exists(), "they are not Dave’s"
