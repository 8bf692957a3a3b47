"""Browsers in words, and none of what they say of themselves."""

import pytest

from models import Notice, Session
from models.access.browser import UNNAMED, named

from .person import Person

WEBKIT, GECKO = "AppleWebKit/605.1.15 (KHTML, like Gecko)", "Gecko/20100101 Firefox/145.0"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X)"
SAYS = [
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) {GECKO}", "Firefox on Windows"),
    (f"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) {GECKO}", "Firefox on Linux"),
    ("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "Firefox on Android"),
    (f"{PHONE} {WEBKIT} FxiOS/145.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone"),
    (f"{PHONE} {WEBKIT} Version/26.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
    (f"{PHONE} {WEBKIT} CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
    (
        f"Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) {WEBKIT} Version/26.0 Safari/604.1",
        "Safari on iPad",
    ),
    (
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/26.0 Safari/605.1.15",
        "Safari on Mac",
    ),
    (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36", "Chrome on Android"),
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", "Chrome on Windows"),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36", "Chrome on ChromeOS"),
    (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/142.0.0.0",
        "Edge on Windows",
    ),
    (
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 OPR/123.0.0.0",
        "Opera on Windows",
    ),
    (
        f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} SamsungBrowser/29.0 Safari/537.36",
        "Samsung Internet on Android",
    ),
    ("Firefox", "Firefox"),
    ("Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0)", f"{UNNAMED}, on Windows"),
    ("curl/8.5.0", UNNAMED),
    ("", UNNAMED),
    (None, UNNAMED),
]
EVIL = "<script>alert(1)</script> press http://evil.example now"


@pytest.mark.parametrize(("says", "words"), SAYS, ids=[words for _says, words in SAYS])
def test_a_browser_in_words(says, words):
    assert named(says) == words == named((says or "")[:200]), "as much of it as is kept"


@pytest.mark.parametrize(("says", "words"), [(EVIL, UNNAMED), (f"Firefox {EVIL}", "Firefox")])
def test_your_account_and_the_email_name_it_and_repeat_nothing(app, cast, school, says, words):
    other = Person(app, school.carol)
    other.client.environ_base["HTTP_USER_AGENT"] = says
    other.sign_in(at_home=False)
    assert "evil.example" in Session.select().order_by(Session.id.desc()).get().browser
    page = cast.carol.get("/account/")
    assert f"In {words} from" in page.text_only and "This browser: " in page.text_only
    page_text, letters = page.text, list(Notice.select())
    assert {letter.user.name for letter in letters} > {"Carol Vaughan-Ŵyn", "Alice Brennan"}
    for letter in letters:
        assert f"({words}, address 127.0.0.1)" in letter.body
        page_text += letter.body
    assert "evil" not in page_text and "alert(" not in page_text
