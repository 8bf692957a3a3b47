"""People and roles: what IT sets up, what waits for a Level 5, and need to know."""

import re
from datetime import timedelta

import pytest
from peewee import IntegrityError

from models import TABLES, Calendar, Event, Notice, Proposal, Refused, Role, Session, User, UserRole
from models.access.accounts import edit_person, edit_role
from models.ground.clock import at, now, today
from models.permissions import HARMLESS, PERMISSIONS, REPORTS, SHIPPED_ROLES
from models.shelf import proof, upkeep

from .conftest import fits
from .person import PASSWORD


def role(name):
    return Role.get(Role.name == name)


def person_form(person, **changed):
    fresh = User.get_by_id(person.id)
    return {
        "version": fresh.version,
        "name": fresh.name,
        "job_title": fresh.job_title,
        "email": fresh.email,
        "active": "yes",
        "roles": [r.id for r in fresh.roles],
    } | changed


def code_in(page):
    """The code that the approver is shown."""
    return re.search(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}", page.text_only).group()


def may(user, permission):
    return User.get_by_id(user.id).may(permission)


def test_a_role_that_opens_nothing_counts_at_once(cast, school):
    cast.ira.get(f"/user/edit/?id={school.dave.id}")
    page = cast.ira.post(
        f"/user/edit/?id={school.dave.id}",
        person_form(school.dave, roles=[role("Staff").id, role("Governor").id]),
    )
    assert (
        page.status_code == 200
        and may(school.dave, "counts:read")
        and Proposal.select().count() == 0
    )


def test_a_role_that_opens_records_waits_for_a_level_5(cast, school):
    cast.ira.get(f"/user/edit/?id={school.dave.id}")
    page = cast.ira.post(
        f"/user/edit/?id={school.dave.id}",
        person_form(school.dave, roles=[role("Staff").id, role("Safeguarding team").id]),
    )
    assert "waits for the approval of a Level 5" in page.text_only and not may(
        school.dave, "incident:read"
    )
    proposal = Proposal.get()
    assert {notice.user.name for notice in Notice.select()} == {"Alice Brennan", "Bob Adeyemi"}
    assert cast.ira.press("proposal:approve", proposal).status_code == 403, "not by who asked"
    assert cast.mark.press("proposal:approve", proposal).status_code == 403, "not by Level 4"
    page = cast.alice.press("proposal:approve", proposal)
    assert page.status_code == 200 and not may(school.dave, "incident:read"), (
        "the code is still to be typed"
    )
    cast.dave.sign_in().get("/account/")
    assert cast.dave.post("/account/code/", {"code": code_in(page)}).status_code == 200 and may(
        school.dave, "incident:read"
    )
    assert cast.bob.press("proposal:approve", proposal).status_code == 409, "once"
    assert proof.history(TABLES) and Event.last(proposal, "proposal:approve").by == school.alice


def test_nobody_approves_what_they_gain_by_or_asked_for(school):
    edit_person(school.bob, school.ira, [role("Head"), role("DSL")])
    with pytest.raises(Refused, match="neither asked for this nor gains"):
        Proposal.get().approve(by=school.bob)
    with pytest.raises(IntegrityError, match="what was submitted never changes"):
        Proposal.update(by=school.alice).execute()
    edit_person(school.connor, school.alice, [role("Contributor"), role("Manager")])
    asked = Proposal.get(Proposal.by == school.alice)
    with pytest.raises(Refused, match="neither asked for this nor gains"):
        asked.approve(by=User.get_by_id(school.alice.id))
    for decide in (asked.refuse, Proposal.get(Proposal.user == school.bob).refuse):
        decide(by=school.bob if decide == asked.refuse else school.alice)
    assert (
        not UserRole.select()
        .where(UserRole.user == school.bob, UserRole.role == role("DSL"))
        .exists()
    )


def test_a_refused_change_changes_nothing(cast, school):
    edit_person(school.dave, school.ira, [role("Staff"), role("Manager")])
    assert cast.bob.press("proposal:refuse", Proposal.get()).status_code == 200
    assert not may(school.dave, "log:trigger") and Proposal.get().status == "refused"


def test_a_role_widened_waits_and_a_role_narrowed_does_not(cast, school):
    staff = role("Staff")
    cast.ira.get(f"/role/edit/?id={staff.id}")
    fields = {
        "version": staff.version,
        "name": "Staff",
        "level": 1,
        "description": staff.description,
        "permissions": ["incident:report", "incident:read"],
    }
    page = cast.ira.post(f"/role/edit/?id={staff.id}", fields)
    assert "waits for the approval" in page.text_only
    assert role("Staff").permissions == ["incident:report"], "what was taken away is gone at once"
    cast.alice.press("proposal:approve", Proposal.get())
    assert role("Staff").permissions == ["incident:report", "incident:read"]


def test_a_level_is_0_to_5(cast):
    cast.ira.get("/role/new/")
    page = cast.ira.post("/role/new/", {"name": "Above all", "level": 6})
    assert (
        page.status_code == 422
        and "A level is a number from 0 to 5." in page.text_only
        and not Role.get_or_none(Role.name == "Above all")
    )


def test_a_record_readers_email_and_factor_wait(cast, school):
    cast.ira.get(f"/user/edit/?id={school.carol.id}")
    cast.ira.post(
        f"/user/edit/?id={school.carol.id}", person_form(school.carol, email="thief@evil.example")
    )
    assert User.get_by_id(school.carol.id).email == "carol@thornley.example"
    page = cast.ira.press("user:reset_factor", school.carol)
    assert (
        "waits for the approval" in page.text_only
        and User.get_by_id(school.carol.id).tf_totp_secret
    )
    assert {proposal.kind for proposal in Proposal.select()} == {"email", "factor"}
    for proposal in Proposal.select():
        cast.bob.press("proposal:approve", proposal)
    fresh = User.get_by_id(school.carol.id)
    assert (
        fresh.email == "thief@evil.example"
        and fresh.tf_totp_secret is None
        and Session.of(fresh) == []
    )


def test_a_factor_is_reset_at_once_only_before_a_passphrase_was_chosen(cast, school):
    page = cast.ira.press("user:reset_factor", school.dave)
    assert (
        "waits for the approval" in page.text_only and User.get_by_id(school.dave.id).tf_totp_secret
    ), "his own reports are records too"
    User.update(password=None).where(User.id == school.dave.id).execute()
    page = cast.ira.press("user:reset_factor", school.dave)
    assert (
        "The second factor is reset" in page.text_only
        and User.get_by_id(school.dave.id).tf_totp_secret is None
    )
    with pytest.raises(Refused):
        Proposal.reset_factor(school.ira, school.ira)


def test_the_last_active_level_5_stays(cast, school):
    edit_person(school.bob, school.ira, [], active=False)
    cast.ira.get(f"/user/edit/?id={school.alice.id}")
    for changed in ({"active": "no"}, {"roles": [role("Staff").id]}):
        page = cast.ira.post(
            f"/user/edit/?id={school.alice.id}", person_form(school.alice, **changed)
        )
        assert page.status_code == 422 and "no active Level 5" in page.text_only, changed
    with pytest.raises(Refused, match="Nothing was saved"):
        edit_role(role("DSL"), school.ira, 4, role("DSL").permissions)
    both = [role("DSL"), role("Head")]
    UserRole.create(user=school.alice, role=both[1])
    with pytest.raises(Refused):
        edit_person(User.get_by_id(school.alice.id), school.ira, [role("Staff")])
    assert User.get_by_id(school.alice.id).level == 5


def test_nobody_changes_their_own_roles(cast, school):
    cast.ira.get(f"/user/edit/?id={school.ira.id}")
    page = cast.ira.post(
        f"/user/edit/?id={school.ira.id}",
        person_form(school.ira, roles=[role("IT").id, role("Staff").id]),
    )
    assert page.status_code == 422 and "Nobody changes their own roles" in page.text_only


def test_it_sees_no_record_no_name_no_diff(cast, school, log, tracker):
    log.edit(school.carol, summary="A secret sentence")
    names = [child.name for child in school.children] + [
        "A secret sentence",
        log.reference,
        log.incident.reference,
    ]
    for path in (
        "/",
        "/user/",
        "/role/",
        "/proposal/",
        "/notice/",
        "/template/",
        "/choice/",
        "/account/",
        "/incident/",
        "/log/",
        "/child/",
        f"/log/details/?id={log.id}",
        f"/incident/details/?id={log.incident_id}",
        f"/section/edit/?id={tracker.in_order()[0].id}",
        "/incident/new/",
        "/log/export/csv/",
        f"/log/pdf/?id={log.id}",
    ):
        text = cast.ira.get(path).data.decode("utf-8", "replace")
        assert not [name for name in names if name in text], path


def test_governors_see_counts_and_no_name(cast, school, log):
    page = cast.grace.get("/")
    assert (
        "Ofsted: triggered" in page.text
        and "Zofia" not in page.text
        and log.reference not in page.text
    )
    for path in ("/incident/", "/log/", "/child/", "/incident/new/"):
        assert cast.grace.get(path).status_code == 403


def test_each_permission_is_explained_in_a_sentence(cast, school):
    page = cast.ira.get(f"/role/edit/?id={role('DSL').id}").text_only
    for sentence in PERMISSIONS.values():
        assert sentence.endswith(".") and sentence in page
    holders = [
        name
        for name, (_level, _description, permissions) in SHIPPED_ROLES.items()
        if "emergency:begin" in permissions
    ]
    assert holders == ["Contributor"], "emergency access is for one named role"
    assert set(PERMISSIONS) > HARMLESS | REPORTS and not HARMLESS & REPORTS


def marked(text):
    """{permission: whether it is marked "opens records"} on the page of a role, or in its form."""
    found = re.findall(
        r'(?:value="([a-z_]+:[a-z_]+)"|<code>([a-z_]+:[a-z_]+)</code>)(.*?)(?=</label>|</li>)',
        text,
        re.S,
    )
    return {one or other: "status opens" in rest for one, other, rest in found}


def test_ira_sees_before_saving_what_will_wait_for_a_level_5(cast, school):
    path = f"/role/edit/?id={role('Staff').id}"
    page = cast.ira.get(path)
    marks = marked(page.text)
    assert marks == {verb: verb not in HARMLESS for verb in PERMISSIONS}
    nouns = re.findall(r'<fieldset class="noun"><legend>([^<]+)</legend>', page.text)
    assert nouns[:2] == ["Incidents", "Triage"] and len(nouns) == len(set(nouns)) > 9
    assert {"Ofsted logs", "Tracker sections", "Children", "People", "Roles"} < set(nouns)
    block = page.text[page.text.index("<legend>People</legend>") :].partition("</fieldset>")[0]
    assert set(marked(block)) == {verb for verb in PERMISSIONS if verb.startswith("user:")}
    ticked = {*role("Staff").permissions, "template:edit", "log:read"}
    fields = {"name": "Staff", "level": 1, "description": "x", "version": role("Staff").version}
    cast.ira.post(path, fields | {"permissions": sorted(ticked)})
    waits = ticked - set(role("Staff").permissions)
    assert waits == {"log:read"} and marks["log:read"] and not marks["template:edit"]


def test_the_page_of_a_role_says_what_it_opens_by_noun(cast, school):
    Role.update(permissions=[*role("IT").permissions, "log:forgotten", "unheard_of:do"]).where(
        Role.name == "IT"
    ).execute()
    page = cast.ira.get(f"/role/details/?id={role('IT').id}")
    assert re.findall(r"<h3>([^<]+)</h3>", page.text)[-1] == "Unheard ofs"
    marks = marked(page.text)
    assert marks["log:forgotten"] and marks["unheard_of:do"], "what nobody knows may open anything"
    assert not [verb for verb in HARMLESS if marks.get(verb)]
    page = cast.ira.get(f"/role/details/?id={role('DSL').id}")
    assert "assigned to every Ofsted log" in page.text_only and marked(page.text)["incident:read"]


def test_a_proposal_groups_what_is_given_and_says_what_is_taken(cast, school):
    edit_person(school.dave, school.ira, [role("Staff"), role("Head")])
    text = cast.alice.get(f"/proposal/details/?id={Proposal.get().id}").text
    nouns = re.findall(r"<h2>([^<]+)</h2>", text.partition('class="nouns"')[2])
    nouns = nouns[: nouns.index("Level 5") + 1]
    assert nouns[0] == "Incidents" and nouns[-1] == "Level 5" and len(nouns) == len(set(nouns))
    assert "be assigned to every Ofsted log (level 5)" in text
    Proposal.get().refuse(by=school.alice)
    kept = [verb for verb in role("IT").permissions if verb != "choice:edit"]
    edit_role(role("IT"), school.ira, 0, [*kept, "child:read"], name="IT", description="New")
    asked = Proposal.get(Proposal.kind == "role")
    text = " ".join(cast.alice.get(f"/proposal/details/?id={asked.id}").text_only.split())
    assert "Whoever has the role IT will also be able to: Children see the list of children" in text
    assert "IT: will no longer be able to: edit the choice lists description will be “New”" in text


# need to know


def test_an_invited_person_who_will_read_keeps_their_email(school):
    new = User.create(name="Oisín de Brún", email="oisin@thornley.example")
    edit_person(new, school.ira, [role("Head")])
    edit_person(User.get_by_id(new.id), school.ira, [], email="thief@evil.example")
    assert (
        User.get_by_id(new.id).email == "oisin@thornley.example"
        and Proposal.select().where(Proposal.kind == "email").exists()
    )


def test_a_level_5_role_that_all_leaders_share_is_not_lowered(school):
    UserRole.update(role=role("DSL")).where(UserRole.user == school.bob).execute()
    with pytest.raises(Refused):
        edit_role(role("DSL"), school.ira, 4, role("DSL").permissions)
    assert role("DSL").level == 5


def test_a_level_5_who_can_approve_stays(school):
    Role.update(permissions=[p for p in role("DSL").permissions if p != "proposal:approve"]).where(
        Role.name == "DSL"
    ).execute()
    with pytest.raises(Refused):
        edit_person(school.bob, school.ira, [role("Head")], active=False)


def test_a_role_is_never_widened_unseen(cast, school):
    edit_role(
        Role(), school.ira, 1, ["incident:report", "incident:read"], name="Helper", description=""
    )
    assert role("Helper").permissions == [], "not even one that nobody has yet"
    edit_person(school.dave, school.ira, [role("Staff"), role("Manager")])
    grant = Proposal.select().where(Proposal.kind == "grant").get()
    assert (
        "trigger a notification: create the Ofsted log"
        in cast.alice.get(f"/proposal/details/?id={grant.id}").text_only
    ), "what is given is spelt out"
    with pytest.raises(Refused):
        for name in ("DSL", "Head"):
            edit_role(
                role(name),
                school.ira,
                5,
                [p for p in role(name).permissions if p != "proposal:approve"],
            )


@pytest.mark.both
def test_an_account_with_a_last_day(cast, school):
    """A deputy for one term reads until the evening of it; IT does not lengthen that."""
    deputy, day = school.carol, today()
    assert deputy.reads
    page = cast.ira.get(f"/user/edit/?id={deputy.id}")
    assert "Last day of the account" in page.text_only
    form = person_form(deputy, ends_on=f"{day:%d/%m/%Y}")
    assert cast.ira.post(f"/user/edit/?id={deputy.id}", form).status_code == 200
    assert User.get_by_id(deputy.id).ends_on == day
    carol = cast.carol
    assert carol.lands("/log/") == "/log/"
    calendar = Calendar.make(deputy)
    for later in (day + timedelta(days=9), None):
        edit_person(User.get_by_id(deputy.id), school.ira, deputy.roles, ends_on=later)
        assert User.get_by_id(deputy.id).ends_on == day, "it waits for a Level 5"
    first, second = Proposal.select().order_by(Proposal.id)
    assert second.what == "let Carol Vaughan-Ŵyn sign in without a last day"
    with at(now() + timedelta(days=1)):
        assert carol.lands("/log/") == "/login", "signed out at midnight"
        assert Calendar.find(calendar) is None
        carol.get("/login")
        page = carol.post("/login", {"email": deputy.email, "password": PASSWORD})
        assert page.request.path == "/login", "and cannot sign in"
        assert not User.get_by_id(deputy.id).may("log:read")
        with pytest.raises(Refused):
            second.approve(by=school.ira)
        first.approve(by=school.alice)
        again = User.get_by_id(deputy.id)
        assert again.ends_on == day + timedelta(days=9) and again.may("log:read")
    with at(now() + timedelta(days=10)):
        assert upkeep.daily(TABLES)
        assert not User.get_by_id(deputy.id).active
        assert [event.by for event in Event.select().where(Event.verb == "user:edit")][-1] is None
        fits()


def test_the_last_level_5_has_no_last_day(cast, school):
    for person, said in ((school.bob, 200), (school.alice, 422)):
        cast.ira.get(f"/user/edit/?id={person.id}")
        form = person_form(person, ends_on=f"{today():%d/%m/%Y}")
        page = cast.ira.post(f"/user/edit/?id={person.id}", form)
        assert page.status_code == said
    assert "no active Level 5" in page.text_only and not User.get_by_id(school.alice.id).ends_on
