"""What no browser sends at the doors is refused plainly: passkeys' answers, JSON, and fields of the
wrong kind.
"""

import json
import re

import pytest

from models import User

from .person import Person, passphrase_only
from .test_factor import prove


def test_an_apostrophe_in_a_name_ends_no_script(cast, school, monkeypatch):
    monkeypatch.setitem(
        cast.carol.app.config, "SECURITY_WAN_RP_NAME", 'St Mary\'s </script> \\ "School"'
    )
    User.update(email="o'carol@thornley.example").where(User.id == school.carol.id).execute()
    page = prove(cast.carol).post("/wan-register", {"name": "School laptop"})
    script = re.search(r"handleRegister\('(.*)'\)", page.text).group(1)
    assert "'" not in script and "<" not in script

    options = json.loads(script.encode().decode("unicode_escape"))
    assert (
        options["user"]["name"] == "o'carol@thornley.example"
        and options["rp"]["name"] == 'St Mary\'s </script> \\ "School"'
    )


DEEP = "[" * 100_000
ODD = ["", "null", "1", "[]", "{}", '"x"', DEEP, '{"id": ' + DEEP, '{"id":"x","rawId":"x","response":[],"type":"public-key"}',
       '{"id":1,"rawId":2,"response":3,"type":4}', '{"id":"x","rawId":"x","response":{"clientDataJSON":"x","attestationObject":"x","authenticatorData":"x",'
       '"signature":"x"},"type":"public-key"}', "\0", "\ud800".encode("utf-16", "surrogatepass").decode("latin-1")]  # fmt: skip


@pytest.mark.parametrize("answer", ODD, ids=range(len(ODD)))
def test_what_no_passkey_answers_is_refused_plainly(app, cast, school, answer):
    page = prove(cast.carol).post("/wan-register", {"name": "School laptop"})
    target = re.search(r'action="(/wan-register/[^"]+)"', page.text).group(1)
    assert cast.carol.post(target, {"credential": answer}).status_code == 200
    assert (
        cast.carol.get("/wan-register").status_code == 200
        and not User.get_by_id(school.carol.id).webauthn.exists()
    )
    cast.carol.get("/wan-verify")
    page = cast.carol.post("/wan-verify")
    target = re.search(r'action="(/wan-verify/[^"]+)"', page.text).group(1)
    assert cast.carol.post(target, {"credential": answer}).status_code == 200


def test_no_address_takes_json(app, cast):
    stranger = Person(app, None)
    stranger.get("/login")
    for person in (stranger, cast.carol):
        person.get("/login")
        for rule in app.url_map.iter_rules():
            if "POST" in rule.methods:
                path = rule.rule.replace("<token>", "x").replace("<export_type>", "csv")
                headers = {"X-CSRFToken": person.token}
                answer = person.client.post(
                    path, data=DEEP, content_type="application/json", headers=headers
                )
                assert answer.status_code in (415, 400), (path, answer.status_code)
        answer = person.client.post(
            "/login", data=DEEP, content_type="application/vnd.api+json", headers=headers
        )
        assert answer.status_code == 415 and "what a form sends" in answer.text


ABSURD = [
    "\0",
    "9" * 5_000,
    "²",
    "٣٤٥٦٧٨",
    "\ud83d",
    "a" * 100_000,
    "[]",
    DEEP[:5_000],
    "%00%ff",
    "-1",
    "1e999",
    "\r\nSet-Cookie: a=b",
    "{{7*7}}",
    "👩‍👧",
]
NAMES = ("email", "password", "password_confirm", "new_password", "new_password_confirm", "code", "setup", "phone", "help_setup", "which", "name", "usage", "credential",
         "remember", "next", "identity", "generate_new_codes", "show_codes", "passphrase_again")  # fmt: skip


@pytest.mark.both
@pytest.mark.parametrize("turn", range(0, len(ABSURD), 3))
def test_absurd_input_at_the_doors_is_answered_without_a_trace(app, cast, school, turn):
    values = [text.encode("utf-8", "replace").decode() for text in ABSURD[turn:] + ABSURD[:turn]]
    fields = {name: values[place % len(values)] for place, name in enumerate(NAMES)}
    good = {
        "email": school.dave.email,
        "setup": "authenticator",
        "which": "authenticator",
        "name": "Mine",
    }
    half, _page = passphrase_only(app, school.dave)
    stranger = Person(app, None)
    stranger.get("/login")
    doors = [rule.rule.replace("<token>", "x") for rule in app.url_map.iter_rules() if "POST" in rule.methods
             and rule.endpoint.startswith(("security.", "account.")) and rule.rule != "/logout"]  # fmt: skip
    for person in (stranger, half, prove(cast.carol)):
        for path in doors:
            for sent in (fields, fields | good) if path != "/reset" else (fields,):
                answer = person.client.post(path, data={"csrf_token": person.token} | sent)
                assert answer.status_code < 500 and "Traceback" not in answer.text, (path, fields)
                assert not re.search("a=b|remember", str(answer.headers.getlist("Set-Cookie")))
