"""The people of the tests: who they are, and each at a browser of their own."""

import re
import secrets
import time
from html import unescape

from passlib.totp import AppWallet

import app as application
from models import Device, Event, Role, User, UserRole
from models.access.signin import hashed

PASSWORD = "correct-horse-battery"
CAST = [  # name, email name, title, role
    ("Alice Brennan", "alice", "Deputy head and DSL", "DSL"),
    ("Bob Adeyemi", "bob", "Head teacher", "Head"),
    ("Mark Kowalczyk", "mark", "Pastoral manager", "Manager"),
    ("Carol Vaughan-Ŵyn", "carol", "Deputy DSL", "Safeguarding team"),
    ("Connor Ó Briain", "connor", "Learning mentor", "Contributor"),
    ("Dave Pritchard", "dave", "Teacher of geography", "Staff"),
    ("Dina El-Sayed", "dina", "Teaching assistant", "Staff"),
    ("Grace Ōta", "grace", "Safeguarding governor", "Governor"),
    ("Ira Lindqvist", "ira", "IT technician", "IT"),
]
CHEAP_ARGON2 = {"argon2__rounds": 1, "argon2__memory_cost": 8, "argon2__parallelism": 1}
AppWallet.encrypt_cost = 4  # the secret of an authenticator app is read at each sign-in


def enrol_cast(app, domain):
    """Make the cast, each with a passphrase and an authenticator app. Inside an application
    context.
    """
    password = application.hash_password(PASSWORD)
    for name, email, title, role in CAST:
        factor = {
            "tf_primary_method": "authenticator",
            "tf_totp_secret": app.extensions["security"].totp_factory.generate_totp_secret(),
        }
        user = User.create(
            name=name, email=f"{email}@{domain}", job_title=title, password=password, **factor
        )
        UserRole.create(user=user, role=Role.get(Role.name == role))
        Event.write("user:add", user, None)


def code_of(app, user):
    """The code that the authenticator app of `user` shows, later than the last one used."""
    totp = app.extensions["security"].totp_factory._totp.from_source(user.tf_totp_secret)
    counter = max(int(time.time()) // 30, (user.tf_last_counter or 0) + 1)
    return totp.generate(time=counter * 30).token


class Person:
    """One of the cast at their browser: `get`, `post` with the token of the page, and `press` for a
    step's button.
    """

    def __init__(self, app, user):
        self.app, self.user, self.client, self.token = app, user, app.test_client(), ""

    def read(self, response):
        text = response.get_data(as_text=True) if response.mimetype == "text/html" else ""
        if found := re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text):
            self.token = unescape(found.group(1))
        response.text_only = unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))
        return response

    def get(self, path, **kwargs):
        return self.read(self.client.get(path, **kwargs))

    def lands(self, path):
        """The path of the page that `path` ends at: "/login" for somebody who is not, or no longer,
        signed in.
        """
        return self.get(path, follow_redirects=True).request.path

    def post(self, path, data=None, follow=True, **kwargs):
        return self.read(
            self.client.post(
                path,
                data={"csrf_token": self.token} | (data or {}),
                follow_redirects=follow,
                **kwargs,
            )
        )

    def at_home(self):
        """At a browser in which they have signed in before."""
        token = secrets.token_urlsafe()
        Device.create(token=hashed(token), user=self.user)
        self.client.set_cookie("device", token)
        return self

    def sign_in(self, password=PASSWORD, at_home=True):
        """Passphrase, then the code of the authenticator app; each further sign-in takes the next
        code, for a code works once.
        """
        if at_home:
            self.at_home()
        self.get("/login")
        page = self.post("/login", {"email": self.user.email, "password": password})
        if "Your code" in page.text_only:
            code = code_of(self.app, User.get_by_id(self.user.id))
            page = self.post("/tf-validate", {"code": code}, follow=False)
        self.arrive()
        return self

    def arrive(self):
        """Signed in, and told so: the page that says it is not fetched."""
        with self.client.session_transaction() as session:
            assert "_user_id" in session, "signed in"
            session.pop("_flashes", None)

    def press(self, verb, record, view=None, **fields):
        """Send what the button of `verb` sends, on the page of `record` as it is now; Trigger with
        a kind, unless one is given.
        """
        if verb == "log:trigger":
            fields = {"kind": "Other serious event"} | fields
        if verb in ("log:complete", "log:complete_anyway", "submission:sign"):
            seen_of = getattr(record, "seen_of", lambda id: "")  # of a record of another noun
            fields = {"seen": seen_of(record.id)} | fields
        return self.post(
            f"/{view or record.noun()}/action/", {"action": verb, "rowid": record.id} | fields
        )


def form_of(page):
    """The address that the form of a page is sent to: a new one has a place of its own for
    drafts.
    """
    return unescape(re.search(r'data-draft="([^"]+)"', page.text)[1])


def passphrase_only(cast_app, user, password=PASSWORD):
    person = Person(cast_app, user)
    person.get("/login")
    return person, person.post("/login", {"email": user.email, "password": password})
