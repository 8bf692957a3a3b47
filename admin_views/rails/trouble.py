"""What a person sees when something is wrong: a sentence, never a trace; and what they typed."""

import errno
import logging
import shutil
from uuid import uuid4

from flask import current_app, g, render_template, request
from flask_wtf.csrf import CSRFError
from peewee import DatabaseError, InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from models import Refused
from models.access.draft import ANEW
from models.ground.database import sqlite
from models.ground.record import without_words
from models.ground.settings import settings

FORMS = (
    ".create_view",
    ".edit_view",
)  # the ends of the endpoints whose forms are shown again with what was typed
STEPS = (".action_view", ".emergency_view")  # … and of those to which a button sends a reason
log = logging.getLogger("safeguarding")
TROUBLE = {
    400: (
        "This page was too old",
        "You have signed out or in since it was opened. Open it again in another tab, and copy "
        "your text into it.",
    ),
    401: (
        "You are not signed in any more",
        "Sign in in another tab or window, come back to this one, and press Try again.",
    ),
    413: (
        "This draft is not kept",
        "It is very long, or you have very many drafts: they are listed on Your account. Copy "
        "your text.",
    ),
    423: (
        "This is hidden",
        "You hid your pages in another tab. Type your passphrase there, come back to this one, and "
        "press Try again.",
    ),
    500: (
        "Something went wrong",
        "It went wrong on our side. If it happens again, copy your text and tell IT.",
    ),
    507: (
        "The disk is full or failing",
        "Nothing more can be saved until IT has made room, or seen to the disk. What is saved "
        "can be read.",
    ),
    503: (
        "Busy, or starting again",
        "The database could not be reached or was busy for too long. This passes, most often "
        "within a minute.",
    ),
}
SIGNS = (
    "disk is full",
    "disk I/O error",
    "No space left",
    "readonly database",
    "unable to open database file",
    "read-only transaction",
)
TOKENS = (*ANEW, "version", "opened", "action", "rowid", "drawn", "more")


def by_hand(name):
    """Whether the field of this name holds what somebody typed, rather than what the page keeps
    about itself.
    """
    return name not in TOKENS and not name.endswith("-rows")


def page(problem):
    """The page for a disk that takes no more (507) or a database that cannot be used now (503), or
    None when it is neither.
    """
    cause = first_cause(problem)
    full = getattr(cause, "errno", None) in (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EROFS,
    ) or any(sign in str(cause) for sign in SIGNS)
    if (
        not full
        and shutil.disk_usage(settings.folder if settings.folder.exists() else ".").free < 100_000
    ):
        full = True
    if not full and not isinstance(problem, OperationalError | InterfaceError):
        return None
    return with_text(507 if full else 503)


def text_sent():
    """Whether one of our forms was sent, or a step with more than its button: there is a text to be
    given back.
    """
    ours = (request.endpoint or "").endswith(FORMS + STEPS)
    return (
        request.method == "POST"
        and ours
        and any(value.strip() for name, value in request.form.items() if by_hand(name))
    )


def fate():
    """What became of what was sent: "saved", for a page can break when all is on disk; "unsure";
    "nothing"; or "read", when nothing was sent.
    """
    if "committed" in g:
        return "saved"
    if request.method != "POST":
        return "read"
    return (
        "unsure" if "committing" in g and not sqlite() else "nothing"
    )  # what a server did whose answer is lost


def with_text(code):
    """The page for one of TROUBLE, with what was typed and, but for 400, a button that sends it
    once more; once it is saved, the way there.
    """
    public = (request.endpoint or "").startswith(
        ("security.", "setup")
    )  # where passphrases and codes are typed
    sent = (
        []
        if public or "committed" in g
        else [(name, value) for name, value in request.form.items(multi=True) if "pass" not in name]
    )
    text = current_app.jinja_env.get_template(
        "layout/trouble.html"
    ).render(
        settings=settings,
        code=code,
        fate=fate(),
        saved=g.get("committed"),
        heading=TROUBLE[code][0],
        sentence=TROUBLE[code][1],
        path="/"
        + request.full_path.rstrip("?").lstrip("/\\"),  # on this host, whatever was asked for
        back=request.full_path.rstrip("?") if (request.endpoint or "").endswith(FORMS) else "/",
        files={
            name: [file.filename for file in request.files.getlist(name) if file.filename]
            for name in request.files
        },
        hidden=[(name, value) for name, value in sent if not (value and by_hand(name))],
        fields=[
            (name, name.replace("_", " ").replace("-", " ").capitalize(), value)
            for name, value in sent
            if value and by_hand(name)
        ],
        problem=g.setdefault("problem", uuid4().hex[:12]),
    )
    return text, code, {"Retry-After": "30"} if code > 500 else {}


def first_cause(problem):
    """What went wrong first: a transaction that cannot be rolled back hides why it had to be."""
    while problem.__context__:
        problem = problem.__context__
    return problem


def install(app):
    """Answer every problem on the Flask app."""
    app.log_exception = lambda _info: (
        None
    )  # it would print the text of the exception; `unexpected` writes what may be written

    @app.errorhandler(SecurityError)
    def not_our_host(_problem):
        return (
            "This is not our address.",
            400,
        )  # no page: without a host there are no addresses to link

    @app.errorhandler(HTTPException)
    def plain_page(problem):
        if broke := getattr(problem, "original_exception", None):  # after the view was done
            return current_app.handle_user_exception(broke)
        return render_template(
            "layout/error.html", code=problem.code, name=problem.name
        ), problem.code

    @app.errorhandler(CSRFError)
    def too_old(problem):
        return with_text(400) if text_sent() else plain_page(problem)

    @app.errorhandler(Exception)
    def unexpected(problem):
        g.problem = uuid4().hex[:12]
        log.error("problem %s at %s: %s", g.problem, request.endpoint, without_words(problem))
        if text_sent() or "committed" in g:
            return with_text(500)
        return render_template(
            "layout/error.html",
            code=500,
            name="Something went wrong",
            problem=g.problem,
            fate=fate(),
        ), 500

    @app.errorhandler(DatabaseError)
    @app.errorhandler(InterfaceError)
    @app.errorhandler(OSError)
    def in_trouble(problem):
        """The disk is full, the database is locked or away: the text goes back to whoever typed it,
        with a button that saves it once.
        """
        answer = page(problem)
        if not answer:
            return unexpected(problem)
        log.error("problem %s at %s: %s", g.problem, request.endpoint, answer[1])
        return answer

    @app.errorhandler(Refused)
    def refused(problem):
        return render_template("layout/error.html", code=409, name=str(problem)), 409
