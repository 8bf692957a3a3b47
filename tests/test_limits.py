"""Guesses are slowed, whatever the spelling and however many at once; the owner is not locked out;
a new browser is told.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from playhouse.migrations import Runner

from models import Attempt, Device, Event, Notice, User, db
from models.access.signin import hashed
from models.ground.clock import at, now
from models.people.user import normal
from models.shelf.copying import MIGRATIONS

from .person import PASSWORD, Person, code_of, passphrase_only

WRONG = "wrong wrong wrong"
CAROL = [  # as it may be typed
    "carol@thornley.example", "Carol@Thornley.Example", " carol@thornley.example ", "carol@ｔhornley.example",
    "ｃａｒｏｌ@thornley.example", "carol@thornley。example", "car\u00adol@thornley.example", "carol@thornley.exam\u200bple",
]  # fmt: skip


def guess(app, email, password=WRONG, person=None):
    """One passphrase for an email as it is typed, by a stranger unless `person` is given; the page
    that came of it.
    """
    person = person or Person(app, None)
    person.get("/login")
    return person.post("/login", {"email": email, "password": password})


def failed(user):
    """How many failed sign-ins the history tells of `user`."""
    return Event.select().where(Event.verb == "user:failed", Event.record == user.id).count()


# one form of an email


@pytest.mark.parametrize("spelled", CAROL)
def test_each_spelling_is_the_one_email(school, spelled):
    assert normal(spelled) == "carol@thornley.example" == normal(normal(spelled))
    assert User.get(User.email == spelled) == school.carol


def test_another_mailbox_stays_another():
    assert normal("ＮＯbody") == "nobody"
    for one, other in (
        ("carol+x@x.example", "carol@x.example"),
        ("anna@straße.example", "anna@strasse.example"),
        ("a.b@x.example", "ab@x.example"),
    ):
        assert normal(one) != normal(other)
    for odd in (
        "",
        None,
        "nobody",
        "@",
        "İ@x.example",
        "x" * 5_000 + "@x.example",
        "a\0b@x.example",
        "Ω@ünï.example",
        "\ud800",
    ):
        assert normal(normal(odd)) == normal(odd)


def test_twelve_guesses_in_twelve_spellings_are_guesses_at_carol(app, school):
    for number in range(12):
        page = guess(app, CAROL[number % len(CAROL)])
    assert failed(school.carol) == 5 and Attempt.select().count() == 5
    page = guess(app, CAROL[3], PASSWORD)
    assert "Not signed in" in page.text_only, "even the right one has to wait"
    with at(now() + timedelta(minutes=16)):
        assert "Your code" in guess(app, CAROL[3], PASSWORD).text_only, (
            "it is her, and not for good"
        )


def test_an_email_of_nobody_is_counted_in_its_one_form_too(app, school):
    for number in range(8):
        guess(app, ["nobody@example.org", "NOBODY@ｅxample.org"][number % 2])
    assert {attempt.account for attempt in Attempt.select()} == {
        "nobody@example.org"
    } and Attempt.select().count() == 5


@pytest.mark.parametrize(
    "spelled", ["dave@ｔhornley.example", "DAVE@thornley.example", "ｄave@thornley.example"]
)
def test_there_is_no_second_dave_by_spelling(cast, school, spelled):
    cast.ira.get("/user/new/")
    page = cast.ira.post(
        "/user/new/", {"name": "D. Pritchard", "email": spelled, "active": "yes", "roles": []}
    )
    assert page.status_code == 422 and "already one with this email" in page.text_only
    assert User.select().where(User.name == "D. Pritchard").count() == 0


def test_a_new_person_is_stored_in_the_one_form(cast, school):
    cast.ira.get("/user/new/")
    cast.ira.post(
        "/user/new/",
        {"name": "Oisín", "email": "Oisín.O'Brien@ｔhornley.example", "active": "yes", "roles": []},
    )
    assert User.get(User.name == "Oisín").email == "oisín.o'brien@thornley.example"


def test_an_update_writes_the_emails_of_before_in_their_one_form(school):
    for user, email in (
        (school.dave, "Dave@ｔhornley.example"),
        (school.dina, "CAROL@thornley.example"),
    ):
        db.execute_sql(f"""UPDATE "user" SET email = '{email}' WHERE id = {user.id}""")
    migrations = {one.name: one for one in Runner(db.obj, MIGRATIONS).migrations()}
    migrations["0006_signing_in"].load().one_form(User)
    emails = {user.id: user.email for user in User.select()}
    assert (
        emails[school.dave.id] == "dave@thornley.example"
        and emails[school.carol.id] == "carol@thornley.example"
    )
    assert (
        emails[school.dina.id]
        == f"carol.at.thornley.example.duplicate-{school.dina.id}@example.invalid"
    )
    assert User.get(User.email == emails[school.dina.id]) == school.dina


# limits


@pytest.mark.both
def test_twenty_at_once_are_counted_before_they_are_judged(app, school):
    people = [Person(app, None) for _each in range(20)]
    for person in people:
        person.get("/login")
    db.close()
    gate = Barrier(20)

    def press(person):
        gate.wait()
        return person.post("/login", {"email": CAROL[3], "password": WRONG}).status_code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(press, people)) == {200}
    db.connect()
    assert failed(school.carol) == 5 and Attempt.select().count() == 5


def test_five_wrong_passphrases_slow_that_address_and_not_the_owner_elsewhere(app, school):
    for _attempt in range(5):
        _person, page = passphrase_only(app, school.alice, WRONG)
    _person, page = passphrase_only(app, school.alice)
    assert "Not signed in" in page.text_only, "even the right one has to wait"
    owner = Person(app, school.alice)
    owner.client.environ_base["REMOTE_ADDR"] = "10.9.8.7"
    assert owner.sign_in(at_home=False).lands("/") == "/"
    with at(now() + timedelta(minutes=16)):
        _person, page = passphrase_only(app, school.alice)
        assert "Your code" in page.text_only, "not locked out for good"


def test_codes_are_limited_as_well(app, school):
    person, _page = passphrase_only(app, school.alice)
    for _attempt in range(6):
        page = person.post("/tf-validate", {"code": "000000"})
    assert "Too many attempts" in page.text_only
    page = person.post("/tf-validate", {"code": code_of(app, school.alice)})
    assert person.lands("/") == "/login" and Attempt.select().count() >= 5


def test_a_right_passphrase_does_not_wipe_out_wrong_codes(app, school):
    for _round in range(3):
        person, _page = passphrase_only(app, school.alice)
        for _attempt in range(2):
            page = person.post("/tf-validate", {"code": "000000"})
    _person, page = passphrase_only(app, school.alice)
    assert "Not signed in" in page.text_only


def test_asking_for_reset_links_is_limited(app, school):
    visitor = Person(app, None)
    for _attempt in range(7):
        visitor.get("/reset")
        visitor.post("/reset", {"email": school.dave.email})
    assert Notice.select().where(Notice.user == school.dave).count() == 5


def test_one_address_trying_many_accounts_is_slowed(app, school):
    for number in range(40):
        Attempt.reserve(f"somebody{number}@example.org", "127.0.0.1")
    _person, page = passphrase_only(app, school.dave)
    assert "Not signed in" in page.text_only


# the owner's own browser


def test_a_stranger_cannot_lock_the_owner_out_of_her_browser(app, school):
    for number in range(20):
        Attempt.reserve(school.alice.email, f"10.0.0.{number}")
    assert "Not signed in" in guess(app, school.alice.email, PASSWORD).text_only
    assert Person(app, school.alice).sign_in().lands("/") == "/", "where she has signed in before"
    assert "Not signed in" in guess(app, school.alice.email, PASSWORD).text_only, (
        "which does not let the others in"
    )


def test_guesses_in_her_own_browser_are_slowed_as_well(app, school):
    thief = Person(app, school.alice).at_home()
    for _attempt in range(5):
        guess(app, school.alice.email, WRONG, thief)
    assert (
        "Not signed in" in guess(app, school.alice.email, PASSWORD, thief).text_only
        and failed(school.alice) == 5
    )


def test_slips_in_known_browsers_do_not_make_everybody_at_that_address_wait(app, school):
    for user in (
        school.dave,
        school.dina,
        school.carol,
        school.connor,
        school.mark,
        school.bob,
        school.grace,
        school.ira,
    ) * 5:
        Attempt.reserve(user.email, "127.0.0.1", Device.get_or_create(token="x", user=user)[0])
    assert Attempt.select().count() == 40
    assert "Your code" in guess(app, school.alice.email, PASSWORD).text_only


def test_on_a_shared_computer_each_has_their_own_and_nobody_resets_the_count_of_another(
    app, school
):
    shared = Person(app, school.alice).sign_in()
    shared.post("/logout")
    shared.user = school.dave
    shared.sign_in(at_home=False).post("/logout")
    for _attempt in range(5):
        guess(app, school.alice.email, WRONG, shared)
    shared.sign_in(at_home=False).post(
        "/logout"
    )  # as Dave once more: the browser has another token now
    assert "Not signed in" in guess(app, school.alice.email, PASSWORD, shared).text_only
    assert Device.select().where(Device.user.in_([school.alice, school.dave])).count() == 2


def test_a_known_browser_is_no_way_round_the_factor(app, school):
    thief = Person(app, school.alice).at_home()
    assert "Your code" in guess(app, school.alice.email, PASSWORD, thief).text_only
    assert thief.lands("/incident/") == "/login"


def test_the_token_of_a_browser_is_kept_as_a_hash_and_changes_with_each_sign_in(app, school):
    alice = Person(app, school.alice).sign_in(at_home=False)
    first = alice.client.get_cookie("device").value
    assert Device.get(Device.user == school.alice).token == hashed(first) != first
    copy = Person(app, school.alice)
    copy.client.set_cookie("device", first)
    alice.post("/logout")
    alice.sign_in(at_home=False)
    for _attempt in range(5):
        guess(app, school.alice.email, WRONG, copy)
    assert {attempt.device for attempt in Attempt.select()} == {None}, (
        "a copy is an unknown browser"
    )
    with at(now() + timedelta(days=181)):
        assert Device.of(alice.client.get_cookie("device").value, school.alice) is None, (
            "half a year unused"
        )
        Device.forget()
    assert Device.select().count() == 0


def test_the_cookie_of_a_browser_is_for_https_this_host_and_no_script(app, school):
    app.config["SESSION_COOKIE_SECURE"] = True
    try:
        person = Person(app, school.dave)
        secure = {"base_url": "https://127.0.0.1"}
        person.get("/login", **secure)
        person.post("/login", {"email": school.dave.email, "password": PASSWORD}, **secure)
        answer = person.post(
            "/tf-validate", {"code": code_of(app, school.dave)}, follow=False, **secure
        )
    finally:
        app.config["SESSION_COOKIE_SECURE"] = False
    cookie = next(text for text in answer.headers.getlist("Set-Cookie") if "device" in text)
    assert cookie.startswith("__Host-device=") and "Domain" not in cookie
    assert all(
        part in cookie
        for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=15552000")
    )


def test_after_ending_all_others_every_other_browser_is_new(cast, school):
    cast.carol.get("/account/")
    other = Person(school.app, school.carol).sign_in()
    assert Device.of(other.client.get_cookie("device").value, school.carol)
    cast.carol.post("/account/end/", {"id": "others"})
    assert Device.of(other.client.get_cookie("device").value, school.carol) is None
    assert Device.of(cast.carol.client.get_cookie("device").value, school.carol), (
        "but the one she sits at"
    )


# who is told


def test_a_new_browser_of_somebody_who_reads_is_told_to_them_and_every_level_5(app, school):
    carol = Person(app, school.carol).sign_in(at_home=False)
    letters = list(Notice.select())
    assert {letter.user for letter in letters} == {school.carol, school.alice, school.bob}
    assert all(
        "a browser in which" in letter.body and "127.0.0.1" in letter.body for letter in letters
    )
    own = next(letter for letter in letters if letter.user == school.carol)
    assert "If it was not" in own.body and "ask Carol Vaughan-Ŵyn" not in own.body
    assert (
        "ask Carol Vaughan-Ŵyn"
        in next(letter for letter in letters if letter.user == school.bob).body
    )
    assert Event.get(Event.verb == "user:new_browser").record == school.carol.id
    carol.post("/logout")
    carol.sign_in(at_home=False)
    assert Notice.select().count() == 3, "the second time it is known"
    bob = Person(app, school.bob).sign_in(at_home=False)
    assert {letter.user for letter in Notice.select().offset(3)} == {
        school.bob,
        school.alice,
    } and bob.lands("/") == "/"


def test_a_new_browser_of_somebody_who_reads_only_their_own_is_told_to_nobody(app, school):
    Person(app, school.dave).sign_in(at_home=False)
    assert Notice.select().count() == 0 and Device.select().count() == 1


def test_another_person_in_a_known_browser_is_told_of_all_the_same(app, school):
    shared = Person(app, school.alice).sign_in()
    shared.post("/logout")
    shared.user = school.carol
    shared.sign_in(at_home=False)
    assert {letter.user for letter in Notice.select()} == {school.carol, school.alice, school.bob}
