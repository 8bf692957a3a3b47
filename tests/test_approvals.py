"""Who stands behind an account, and what opens: the puppet, the role that widens itself, the code
that is handed over.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from models import TABLES, Event, Notice, Proposal, Refused, Role, User, db
from models.access.accounts import add_person, edit_person, edit_role
from models.access.proposal import CODE, TRIES
from models.permissions import HARMLESS, PERMISSIONS
from models.shelf import proof

from .person import CHEAP_ARGON2, PASSWORD, Person
from .test_people import code_in, may, role
from .test_queries import counted


def enrol(app, user):
    """Choose a passphrase and an authenticator app, as the emailed link lets its holder do."""
    import app as application

    with app.app_context():
        factor = app.extensions["security"].totp_factory.generate_totp_secret()
        User.update(
            password=application.hash_password(PASSWORD),
            tf_primary_method="authenticator",
            tf_totp_secret=factor,
        ).where(User.id == user.id).execute()
    assert CHEAP_ARGON2
    return Person(app, User.get_by_id(user.id)).sign_in()


def test_a_puppet_is_seen_and_opens_nothing_without_the_code(app, cast, school):
    """IT adds a second Carol with a mailbox of its own; the approver sees it, and the emailed link
    alone opens nothing.
    """
    puppet = add_person(
        school.ira,
        [role("Safeguarding team")],
        name="Carol Vaughan Wyn",
        email="carol@thornley-beck.example",
        active=True,
    )
    twin = add_person(
        school.ira, [], name="Ŵyn Carol Vaughan", email="c@thornley.example", active=True
    )
    assert [one.name for one in User.namesakes([puppet])[puppet.id]] == [
        "Carol Vaughan-Ŵyn",
        "Ŵyn Carol Vaughan",
    ]
    proposal = Proposal.get(Proposal.user == puppet)
    text = cast.alice.get(f"/proposal/details/?id={proposal.id}").text_only
    for word in (
        "carol@thornley-beck.example",
        "Made",
        "by Ira Lindqvist",
        "another account of this name",
        twin.email,
        "read every incident",
    ):
        assert word in text, word
    assert "incident:read" not in text and "Never" in text, (
        "words, not codes; and that nobody has used it yet"
    )
    code = code_in(cast.alice.press("proposal:approve", proposal))
    thief = enrol(app, puppet)
    assert thief.get("/incident/").status_code == 403 and not may(puppet, "incident:read")
    for _ in range(TRIES):
        assert thief.post("/account/code/", {"code": "AAAA-BBBB-CCCC"}).status_code == 422
    assert thief.post("/account/code/", {"code": code}).status_code == 422, (
        "the right one too, once it has been guessed at too often"
    )
    again = code_in(cast.alice.press("proposal:new_code", proposal))
    assert cast.ira.press("proposal:new_code", proposal).status_code == 403
    page = thief.post("/account/code/", {"code": again.lower().replace("-", " ")})
    assert "counts from now on" in page.text_only and may(puppet, "incident:read")
    assert thief.post("/account/code/", {"code": again}).status_code == 422, "once"
    assert Proposal.get_by_id(proposal.id).status == "approved" and proof.history(TABLES)


def test_the_code_of_one_opens_nothing_for_another(app, cast, school):
    edit_person(school.dave, school.ira, [role("Staff"), role("Manager")])
    edit_person(school.dina, school.ira, [role("Staff"), role("Manager")])
    for_dave, for_dina = Proposal.select().order_by(Proposal.id)
    code = code_in(cast.alice.press("proposal:approve", for_dave))
    cast.alice.press("proposal:approve", for_dina)
    cast.dina.sign_in().get("/account/")
    assert cast.dina.post("/account/code/", {"code": code}).status_code == 422 and not may(
        school.dina, "log:trigger"
    )
    with pytest.raises(Refused, match="typed by the person whom"):
        for_dave.claim(code, by=school.dina)


def test_a_new_second_factor_of_a_reader_opens_nothing_without_the_code(app, cast, school):
    """IT has Carol's factor reset and her passphrase by the emailed link: still the code is in the
    head's hand.
    """
    Proposal.reset_factor(school.carol, school.ira)
    code = code_in(cast.bob.press("proposal:approve", Proposal.get()))
    carol = enrol(app, school.carol)
    for page in ("/", "/incident/", "/log/", "/child/"):
        assert carol.get(page, follow_redirects=True).request.path == "/account/", page
    assert carol.post("/incident/new/", {}, follow=False).location.startswith("/account/")
    assert (
        carol.post("/account/code/", {"code": code}).status_code == 200
        and carol.get("/incident/").status_code == 200
    )


def test_a_reader_who_had_left_comes_back_with_approval_only(cast, school):
    edit_person(school.carol, school.ira, [role("Safeguarding team")], active=False)
    edit_person(
        User.get_by_id(school.carol.id), school.ira, [role("Safeguarding team")], active=True
    )
    assert not User.get_by_id(school.carol.id).active and Proposal.get().kind == "active"
    assert "sign in again" in cast.alice.get(f"/proposal/details/?id={Proposal.get().id}").text_only
    cast.alice.press("proposal:approve", Proposal.get())
    assert User.get_by_id(school.carol.id).active
    edit_person(school.grace, school.ira, [role("Governor")], active=False)
    edit_person(User.get_by_id(school.grace.id), school.ira, [role("Governor")], active=True)
    assert User.get_by_id(school.grace.id).active, "who reads nothing comes back at once"


def test_a_new_name_or_email_is_told_to_the_person_and_to_every_level_5(cast, school):
    edit_person(school.carol, school.ira, [role("Safeguarding team")], name="Alice Brennan")
    told = [
        (notice.user.name, notice.body)
        for notice in Notice.select().join(User).where(Notice.body.contains("changed an account"))
    ]
    assert {name for name, _body in told} == {"Alice Brennan", "Bob Adeyemi"} and len(told) == 3
    assert all(
        "Carol Vaughan-Ŵyn is called Alice Brennan from now on" in body for _name, body in told
    )
    edit_person(
        User.get_by_id(school.dave.id), school.ira, [role("Staff")], email="other@thornley.example"
    )
    Proposal.get(Proposal.kind == "email").approve(by=school.alice)
    old = (
        Notice.select()
        .where(Notice.user == school.dave, Notice.body.contains("other@thornley.example"))
        .get()
    )
    assert old.email == "dave@thornley.example", "at the address that was his"


@pytest.mark.parametrize(
    "name", ["Eve\nReference: OFS-1", "Eve {link}", "Eve\u202e", "Eve\x07", "Eve\u2028x"]
)
def test_no_name_forges_a_line_or_a_link_in_an_email(school, name):
    with pytest.raises(Refused) as refused:
        add_person(school.ira, [], name=name, email="eve@thornley.example", active=True)
    assert "no letter" in refused.value.errors["name"]
    User.update(name=name).where(User.id == school.dave.id).execute()
    edit_person(User.get_by_id(school.dave.id), school.ira, [role("Staff")], name="Dave Again")
    bodies = [notice.body for notice in Notice.select()]
    assert bodies and all(
        "{link}" not in body and "\nReference: OFS-1" not in body and "\u202e" not in body
        for body in bodies
    )


@pytest.mark.parametrize("verb", sorted(set(PERMISSIONS) - HARMLESS))
def test_whatever_shows_or_decides_waits_in_every_role(school, verb):
    """IT adds one permission to a role that lacks it: its own role, another's, a new one."""
    governor = role("Governor")
    edit_role(
        governor,
        school.ira,
        0,
        [*governor.permissions, verb],
        name="Governor",
        description=governor.description,
    )
    assert verb not in role("Governor").permissions and Proposal.get().value["added"] == [verb]
    edit_role(Role(), school.ira, 1, [verb], name="New", description="")
    assert role("New").permissions == []


def test_every_change_of_a_role_that_one_has_oneself_waits(cast, school):
    it = role("IT")
    for level, permissions, more in ((0, [*it.permissions, "counts:read"], {}), (0, it.permissions[1:], {}), (3, it.permissions, {}),
                                     (0, it.permissions, {"name": "Information technology"}), (0, it.permissions, {"description": "All."})):  # fmt: skip
        values = {"name": "IT", "description": it.description} | more
        assert edit_role(role("IT"), school.ira, level, permissions, **values), (level, more)
        assert (role("IT").level, role("IT").permissions, role("IT").description) == (
            0,
            it.permissions,
            it.description,
        )
    assert Proposal.select().count() == 5 and not edit_role(
        role("IT"), school.ira, 0, it.permissions, name="IT", description=it.description
    )
    for proposal in Proposal.select().order_by(Proposal.id):
        proposal.approve(by=school.alice)
    fresh = role("Information technology")
    assert (
        fresh.description == "All."
        and "counts:read" in fresh.permissions
        and it.permissions[0] not in fresh.permissions
    )


def test_the_approval_says_in_words_what_opens_and_for_whom(cast, school):
    staff = role("Staff")
    edit_role(
        staff,
        school.ira,
        1,
        [*staff.permissions, "incident:read"],
        name="Staff",
        description=staff.description,
    )
    text = cast.alice.get(f"/proposal/details/?id={Proposal.get().id}").text_only
    assert (
        "Whoever has the role Staff will also be able to: Incidents read every incident that does "
        "not name them" in " ".join(text.split())
    )
    assert (
        "This is for Dave Pritchard, Dina El-Sayed." in " ".join(text.split())
        and "incident:" not in text
    )
    Proposal.get().approve(by=school.alice)
    assert may(school.dina, "incident:read") and Proposal.get().differences()[0].startswith(
        "will also"
    ), "still said when it is done"


def test_twenty_presses_at_once_claim_a_code_once(app, cast, school):
    edit_person(school.dave, school.ira, [role("Staff"), role("Manager")])
    code = code_in(cast.alice.press("proposal:approve", Proposal.get()))
    assert Proposal.get().status == CODE
    dave = User.get_by_id(school.dave.id)

    def press(_number):
        with db.connection_context():
            return Proposal.type_code(code, dave)

    db.close()
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(press, range(20)))
    db.connect()
    assert (
        len([one for one in found if one]) == 1
        and Event.select().where(Event.verb == "proposal:claim").count() == 1
    )


def test_a_puppet_does_not_begin_to_read_by_a_role_that_is_widened_later(cast, school):
    """IT gives a second Carol a role that opens nothing, and asks for the role to be widened: she
    is shown, and asked for by name.
    """
    edit_role(Role(), school.ira, 1, ["counts:read"], name="Helper", description="Helps.")
    puppet = add_person(
        school.ira,
        [role("Helper")],
        name="Carol Vaughan Wyn",
        email="carol@evil.example",
        active=True,
    )
    assert [one.name for one in puppet.roles] == ["Helper"], (
        "it opens nothing, so it counts at once"
    )
    edit_role(
        role("Helper"),
        school.ira,
        1,
        ["counts:read", "incident:read"],
        name="Helper",
        description="Helps.",
    )
    widening = Proposal.get(Proposal.kind == "role")
    text = cast.alice.get(f"/proposal/details/?id={widening.id}").text_only
    assert "carol@evil.example" in text and "another account of this name" in text
    assert cast.alice.press("proposal:approve", widening).status_code == 200 and not may(
        puppet, "incident:read"
    )
    grant = Proposal.get(Proposal.kind == "grant", Proposal.user == puppet)
    assert grant.status == "waiting" and proof.history(TABLES)
    code_in(cast.alice.press("proposal:approve", grant))
    assert not may(puppet, "incident:read") and Proposal.get_by_id(grant.id).status == CODE


def test_the_approval_costs_the_same_for_one_and_for_fifty(cast, school):
    staff, costs = role("Staff"), []
    edit_role(
        staff,
        school.ira,
        1,
        [*staff.permissions, "incident:read"],
        name="Staff",
        description=staff.description,
    )
    for number in (1, 50):
        for one in range(number):
            add_person(
                school.ira,
                [staff],
                name=f"Colleague {number} {one}",
                email=f"c{number}-{one}@thornley.example",
                active=True,
            )
        cast.alice.get("/")
        with counted() as statements:
            assert (
                cast.alice.get(
                    f"/proposal/details/?id={Proposal.get(Proposal.kind == 'role').id}"
                ).status_code
                == 200
            )
        costs.append(len(statements))
    assert costs[0] == costs[1], costs
