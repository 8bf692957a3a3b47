"""The second factor: a code works once, nothing opens without it, and it is not replaced without
passphrase and the old one.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from passlib.totp import TOTP

from models import Event, User, WebAuthn, db

from .person import PASSWORD, code_of, passphrase_only


def prove(person, **more):
    """Show passphrase and code, as is asked before a second factor is touched."""
    person.get("/account/prove/")
    user = tomorrow(person.user)
    person.post(
        "/account/prove/", {"passphrase_again": PASSWORD, "code": code_of(person.app, user)} | more
    )
    tomorrow(user)
    return person


def tomorrow(user):
    """The person, whose authenticator app shows codes again that were not used yet."""
    User.update(tf_last_counter=None).where(User.id == user.id).execute()
    return User.get_by_id(user.id)


def key_on(page):
    """The key that the page for setting up an authenticator app shows."""
    return re.search(r'class="key">([^<]+)<', page.text).group(1).replace("-", "").replace(" ", "")


def codes_on(page):
    """The recovery codes that a page shows."""
    return re.findall(r"<code>([\w-]{10,})</code>", page.text)


def own_secret(user):
    return User.get_by_id(user.id).tf_totp_secret


def test_a_passphrase_alone_opens_nothing(app, school):
    person, page = passphrase_only(app, school.alice)
    assert "Your code" in page.text_only
    for path in ("/", "/incident/", "/log/", "/account/"):
        assert person.lands(path) == "/login"


def test_a_code_works_once(app, school):
    person, _page = passphrase_only(app, school.alice)
    code = code_of(app, school.alice)
    person.post("/tf-validate", {"code": code})
    assert person.lands("/") == "/"
    thief, _page = passphrase_only(app, school.alice)
    thief.post("/tf-validate", {"code": code})
    assert thief.lands("/") == "/login"


def test_setting_up_the_factor_before_anything_opens(app, school):
    user = User.get_by_id(school.dave.id)
    user.forget_factor()
    user.save()
    person, page = passphrase_only(app, user)
    assert "Set up a second factor" in page.text_only
    page = person.post("/tf-setup", {"setup": "authenticator"})
    key = key_on(page)
    person.post("/tf-validate", {"code": TOTP(key=key, format="base32").generate().token})
    assert person.lands("/") == "/" and User.get_by_id(user.id).tf_primary_method == "authenticator"
    assert key not in (User.get_by_id(user.id).tf_totp_secret or ""), "stored encrypted"


def test_recovery_codes_work_once_and_are_stored_encrypted(app, cast, school):
    codes = codes_on(prove(cast.carol).post("/mf-recovery-codes", {"generate_new_codes": "yes"}))
    assert len(codes) == 8 and codes[0] not in "".join(
        User.get_by_id(school.carol.id).mf_recovery_codes
    )
    for attempt, opens in (("first", "/"), ("again", "/login")):
        person, _page = passphrase_only(app, school.carol)
        person.post("/mf-recovery", {"code": codes[0]})
        assert person.lands("/") == opens, attempt


def enrolled(app, user):
    """Somebody who sets up their first second factor; the page that follows."""
    user = User.get_by_id(user.id)
    user.forget_factor()
    user.save()
    person, _page = passphrase_only(app, user)
    key = key_on(person.post("/tf-setup", {"setup": "authenticator"}))
    return person, person.post(
        "/tf-validate", {"code": TOTP(key=key, format="base32").generate().token}
    )


def test_recovery_codes_are_shown_at_the_first_enrolment_once(app, school):
    dave, page = enrolled(app, school.dave)
    codes = codes_on(page)
    assert len(codes) == 8 and "Print these codes or write them down now" in page.text_only
    assert re.search(r'href="/"[^>]*>I have them on paper', page.text)
    with dave.client.session_transaction() as cookie:
        assert not [code for code in codes if code in str(dict(cookie))], "they travel in no cookie"
    assert codes[0] not in str(User.get_by_id(school.dave.id).mf_recovery_codes)
    assert "8 of 8 recovery codes are left." in dave.get("/account/").text_only
    prove(dave)
    for path in ("/mf-recovery-codes", "/mf-recovery-codes?show_codes=1"):
        page = dave.get(path)
        assert page.request.path == "/mf-recovery-codes" and not codes_on(page), path
        assert "8 of 8 recovery codes are left." in page.text_only
    again, _page = passphrase_only(app, school.dave)
    assert again.post("/mf-recovery", {"code": codes[0]}).request.path == "/"


def test_a_wrong_code_at_the_first_enrolment_shows_no_recovery_codes(app, school):
    user = User.get_by_id(school.dave.id)
    user.forget_factor()
    user.save()
    person, _page = passphrase_only(app, user)
    person.post("/tf-setup", {"setup": "authenticator"})
    page = person.post("/tf-validate", {"code": "000000"})
    assert not codes_on(page) and not User.get_by_id(user.id).mf_recovery_codes
    assert person.lands("/") == "/login"


def test_signing_in_makes_no_recovery_codes(cast, school):
    """Neither for whoever has none, nor in place of those there are."""
    assert cast.dave.lands("/") == "/" and not User.get_by_id(school.dave.id).mf_recovery_codes


def test_recovery_codes_are_counted_down(app, cast, school):
    codes = codes_on(prove(cast.carol).post("/mf-recovery-codes", {"generate_new_codes": "yes"}))
    left = {6: "2 of 8 recovery codes are left.", 7: "1 of 8 recovery codes is left."}
    for used, code in enumerate(codes, 1):
        person, _page = passphrase_only(app, school.carol)
        page = person.post("/mf-recovery", {"code": code})
        said = left.get(used, f"{8 - used} of 8 recovery codes are left.")
        if used == 8:
            said = "None of 8 recovery codes are left."
        assert f"You used a recovery code. {said}" in page.text_only
        assert ("Make new ones under Your account." in page.text_only) == (used >= 6), used
        page = person.get("/account/")
        assert said in page.text_only
        assert ("Make new recovery codes" in page.text_only) == (used >= 6), used
        wrong, _page = passphrase_only(app, school.carol)
        page = wrong.post("/mf-recovery", {"code": code})
        assert "You used" not in page.text_only and wrong.lands("/") == "/login"


def test_there_is_no_way_round_by_email(app):
    assert app.config["SECURITY_TWO_FACTOR_RESCUE_EMAIL"] is False and app.config[
        "SECURITY_TWO_FACTOR_ENABLED_METHODS"
    ] == ["authenticator"]


@pytest.mark.both
def test_of_six_sign_ins_at_once_with_one_code_one_opens(app, school):
    people = [passphrase_only(app, school.alice)[0] for _each in range(6)]
    code, gate = code_of(app, school.alice), Barrier(6)
    db.close()

    def enter(person):
        gate.wait()
        person.post("/tf-validate", {"code": code})
        return person.lands("/")

    with ThreadPoolExecutor(6) as pool:
        landed = sorted(pool.map(enter, people))
    db.connect()
    assert landed == ["/"] + ["/login"] * 5
    assert Event.select().where(Event.verb == "user:signed_in").count() == 1


@pytest.mark.both
def test_of_four_at_once_with_one_recovery_code_one_opens(app, cast, school):
    page = prove(cast.carol).post("/mf-recovery-codes", {"generate_new_codes": "yes"})
    code, gate = re.search(r"<code>([\w-]{10,})</code>", page.text).group(1), Barrier(4)
    people = [passphrase_only(app, school.carol)[0] for _each in range(4)]
    db.close()

    def enter(person):
        gate.wait()
        person.post("/mf-recovery", {"code": code})
        return person.lands("/")

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(enter, people)) == ["/"] + ["/login"] * 3
    db.connect()
    stale = User.get_by_id(school.carol.id)
    assert len(stale.mf_recovery_codes) == 7
    assert User.get_by_id(school.carol.id).spend(stale.mf_recovery_codes[1:]) and not stale.spend(
        stale.mf_recovery_codes[2:]
    )
    stale.name = "Carol V."
    stale.save()
    assert len(User.get_by_id(school.carol.id).mf_recovery_codes) == 6, (
        "a later save puts none back"
    )


@pytest.mark.both
def test_of_those_who_read_the_same_counter_one_claims_the_next(school):
    readers = [User.get_by_id(school.alice.id) for _each in range(3)]
    assert [reader.use_code(100) for reader in readers] == [True, False, False]
    late = User.get_by_id(school.alice.id)
    assert User.get_by_id(school.alice.id).use_code(101) and not late.use_code(101)
    late.name = "Alice B."
    late.save()
    assert User.get_by_id(school.alice.id).tf_last_counter == 101, (
        "a later save puts no older one back"
    )


def test_a_cookie_from_before_the_factor_was_set_up_replaces_nothing(app, school):
    """A thief with the passphrase begins to set up a factor, waits until its owner has set up hers,
    and goes on.
    """
    user = User.get_by_id(school.dave.id)
    user.forget_factor()
    user.save()
    thief, _page = passphrase_only(app, user)
    key = key_on(thief.post("/tf-setup", {"setup": "authenticator"}))
    owner, _page = passphrase_only(app, user)
    own = key_on(owner.post("/tf-setup", {"setup": "authenticator"}))
    owner.post("/tf-validate", {"code": TOTP(key=own, format="base32").generate().token})
    before = own_secret(school.dave)
    assert owner.lands("/") == "/" and before
    thief.post("/tf-validate", {"code": TOTP(key=key, format="base32").generate().token})
    assert thief.lands("/") == "/login" and own_secret(school.dave) == before
    thief.post("/tf-setup", {"setup": "authenticator"})
    assert own_secret(school.dave) == before


@pytest.mark.both
def test_of_those_who_show_the_same_answer_of_a_passkey_one_is_let_in(school):
    begun = datetime(2026, 3, 4, 9, 0, 0, 700_000)
    key = {
        "name": "Laptop",
        "credential_id": b"1",
        "public_key": b"2",
        "backup_state": False,
        "device_type": "x",
        "usage": "secondary",
    }
    WebAuthn.create(user=school.alice, lastuse_datetime=begun, **key)
    asked, used = (
        begun.replace(microsecond=0) + timedelta(seconds=60),
        begun + timedelta(seconds=62),
    )
    three = [WebAuthn.get() for _each in range(3)]
    assert [one.use(asked, used) for one in three] == [True, False, False], "at once"
    assert not WebAuthn.get().use(asked, used + timedelta(seconds=1)), "and later"
    assert WebAuthn.get().use(asked + timedelta(seconds=9), used + timedelta(seconds=9)), (
        "the next challenge"
    )


# touched only with passphrase and factor


TOUCHES = [("/tf-setup", {"setup": "authenticator"}), ("/mf-recovery-codes", {"generate_new_codes": "yes"}), ("/wan-register", {"name": "Mine"}),
           ("/wan-delete", {"name": "School laptop"})]  # fmt: skip


@pytest.mark.parametrize(("path", "sent"), TOUCHES, ids=[path for path, _sent in TOUCHES])
def test_a_second_factor_is_not_touched_at_an_unlocked_screen(cast, path, sent):
    """Right after signing in, by somebody who knows neither passphrase nor code."""
    cast.carol.get("/account/")
    page = cast.carol.post(path, sent)
    assert page.request.path == "/account/prove/" and "Is it you?" in page.text_only
    for wrong in (
        {"code": "000000"},
        {"passphrase_again": "wrong"},
        {"code": ""},
        {"passphrase_again": ""},
    ):
        user = User.get_by_id(cast.carol.user.id)
        fields = {"passphrase_again": PASSWORD, "code": code_of(cast.carol.app, user)} | wrong
        assert cast.carol.post("/account/prove/", fields).status_code == 422, wrong
    assert cast.carol.post(path, sent).request.path == "/account/prove/"


def test_recovery_codes_are_not_shown_at_an_unlocked_screen(cast):
    prove(cast.carol).post("/mf-recovery-codes", {"generate_new_codes": "yes"})
    cast.carol.post("/logout")
    cast.carol.sign_in()
    assert cast.carol.lands("/mf-recovery-codes?show_codes=1") == "/account/prove/"


def test_changing_the_app_takes_passphrase_and_old_code_and_is_for_one_change(app, cast, school):
    carol, before = prove(cast.carol), own_secret(school.carol)
    page = carol.post("/tf-setup", {"setup": "authenticator"})
    new = TOTP(key=key_on(page), format="base32")
    target = re.search(r'action="(/tf-setup/[^"]+)"', page.text).group(1)
    page = carol.post(
        target, {"code": new.generate().token}
    )  # in the same 30 seconds as the old one's
    assert page.request.path == target and own_secret(school.carol) != before
    assert len(codes_on(page)) == 8 and 'href="/account/"' in page.text, "she had no codes yet"
    assert Event.last(school.carol, "user:factor")
    assert carol.lands("/tf-setup") == "/account/prove/", "asked anew for the next"


def test_changing_the_app_leaves_the_recovery_codes_as_they_are(cast, school):
    carol = prove(cast.carol)
    assert len(codes_on(carol.post("/mf-recovery-codes", {"generate_new_codes": "yes"}))) == 8
    before = User.get_by_id(school.carol.id).mf_recovery_codes
    page = carol.post("/tf-setup", {"setup": "authenticator"})
    new = TOTP(key=key_on(page), format="base32")
    target = re.search(r'action="(/tf-setup/[^"]+)"', page.text).group(1)
    page = carol.post(target, {"code": new.generate().token})
    assert page.request.path == "/account/" and not codes_on(page)
    assert User.get_by_id(school.carol.id).mf_recovery_codes == before


def test_a_recovery_code_stands_in_for_a_lost_telephone_once(cast, school):
    page = prove(cast.carol).post("/mf-recovery-codes", {"generate_new_codes": "yes"})
    code = re.search(r"<code>([\w-]{10,})</code>", page.text).group(1)
    for attempt, lands in (("first", "/tf-setup"), ("again", "/account/prove/")):
        cast.carol.post("/logout")
        prove(cast.carol.sign_in(), code=code)
        assert cast.carol.lands("/tf-setup") == lands, attempt


def test_what_was_proved_is_forgotten_after_five_minutes_and_at_sign_out(cast, monkeypatch):
    carol = prove(cast.carol)
    assert carol.lands("/tf-setup") == "/tf-setup"
    carol.post("/logout")
    carol.sign_in()
    assert carol.lands("/tf-setup") == "/account/prove/"
    prove(carol)
    with carol.client.session_transaction() as cookie:
        cookie["proved"] -= 301
    assert carol.lands("/tf-setup") == "/account/prove/"


def test_guesses_at_the_proof_are_slowed(cast, school):
    cast.carol.get("/account/prove/")
    for _attempt in range(5):
        cast.carol.post("/account/prove/", {"passphrase_again": PASSWORD, "code": "000000"})
    user = User.get_by_id(school.carol.id)
    page = cast.carol.post(
        "/account/prove/", {"passphrase_again": PASSWORD, "code": code_of(cast.carol.app, user)}
    )
    assert (
        "Too many attempts" in page.text_only and cast.carol.lands("/tf-setup") == "/account/prove/"
    )
