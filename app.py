"""Settings, database, extensions, screens and commands, plugged together."""

import logging
import os
import secrets
import shutil
import threading
import time
from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from flask import Flask, current_app, g, request
from flask.cli import with_appcontext
from flask_login import AnonymousUserMixin, current_user
from flask_mailman import EmailMessage, Mail
from flask_security import Security, hash_password
from flask_security.recoverable import generate_reset_password_token
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

import admin_views
import commands
import server
from admin_views.rails import sessions, signin, static, trouble
from commands import opened, prepare, sentences
from models import (
    TABLES,
    Document,
    Incident,
    Notice,
    Role,
    SetupLink,
    Sheet,
    Slip,
    User,
    UserRole,
    WebAuthn,
    db,
    demo,
    now,
    visible,
)
from models.case.attachment import Kept
from models.ground.database import let_go, sqlite
from models.ground.record import without_words
from models.ground.settings import settings
from models.ground.words import FILTERS, counted
from models.history import event as history
from models.history import looks
from models.shelf import digest, upkeep, upload
from models.shelf.copying import alone

HERE = Path(__file__).parent
log = logging.getLogger("safeguarding")
soon: dict[str, Any] = {}  # when this process next does what need not be done at each round
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self' 'nonce-{nonce}'; img-src 'self' "
    "data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; connect-src 'self'"
)
KEPT = ("static", "calendar")  # their answers say themselves who may keep them
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def secret():
    """The installation's secret key: made at first use, readable by its owner only, never in code
    or settings.
    """
    return settings.secret("secret.key", lambda: secrets.token_hex(32).encode()).decode()


def create_app(**given):
    """The Flask application for the settings that are loaded. `given` overrides Flask's
    configuration.
    """
    app = Flask(__name__)
    secret = given.pop("SECRET_KEY", "") or secrets.token_hex(
        32
    )  # of this process only, unless what serves people gives the installation's own
    plain_http = settings.demo or settings.local
    app.config.update(signin.config(secret))
    app.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_NAME="session" if plain_http else "__Host-session",
        SESSION_COOKIE_SECURE=not plain_http,
        # no Referer: our policy withholds it
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        FLASK_ADMIN_RAISE_ON_VIEW_EXCEPTION=True,
        MAX_CONTENT_LENGTH=int(5_000_000 * settings.upload_mb),
        MAX_FORM_MEMORY_SIZE=20_000_000,
        MAX_FORM_PARTS=5_000,
        TRUSTED_HOSTS=[urlsplit(settings.url).hostname, "127.0.0.1", "localhost"],
        MAIL_BACKEND="dummy" if settings.demo else "smtp",
        MAIL_SERVER=settings.mail_server,
        MAIL_PORT=settings.mail_port,
        MAIL_USERNAME=settings.mail_username or None,
        MAIL_PASSWORD=settings.mail_password or None,
        MAIL_USE_TLS=settings.mail_tls,
        MAIL_DEFAULT_SENDER=settings.mail_from,
        MAIL_TIMEOUT=20,
    )
    app.config.update(given)
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(now=now)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    proxies = settings.proxies
    app.wsgi_app = (  # type: ignore[method-assign]
        ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)
        if proxies
        else app.wsgi_app
    )

    @app.before_request
    def open_database():
        g.opened = request.endpoint != "health" and db.connect(reuse_if_open=True)
        g.nonce = secrets.token_urlsafe(16)
        history.address.set(request.remote_addr or "")

    CSRFProtect(app)
    Mail(app)
    Security(
        app,
        signin.People(db, User, Role, UserRole, WebAuthn),
        totp_cls=signin.CodeOnce,
        mail_util_cls=signin.Outbox,
        password_util_cls=signin.Passphrase,
        login_form=signin.Login,
        verify_form=signin.Again,
        two_factor_verify_code_form=signin.Code,
        mf_recovery_form=signin.Recovery,
        change_password_form=signin.Change,
        forgot_password_form=signin.Forgot,
        wan_register_response_form=signin.PasskeyNew,
        wan_signin_response_form=signin.PasskeyUsed,
        render_template=signin.render,
        mf_recovery_codes_util_cls=signin.RecoveryOnce,
    )
    sessions.install(app)
    admin = admin_views.install(app, settings)

    @app.teardown_request
    def close_database(_problem):
        opened = g.pop("opened", False)
        if app.config.get("KEEPS_OPEN"):
            opened = not db.is_closed() and db.connection().in_transaction
        if opened:
            db.close()

    @app.after_request
    def harden(response):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value.replace("{nonce}", g.get("nonce", "")))
        if app.config["SESSION_COOKIE_SECURE"]:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.endpoint not in KEPT or response.status_code >= 400:
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.context_processor
    def on_every_page():
        user = AnonymousUserMixin() if sessions.is_locked() else current_user
        entries = (
            [entry for entry in admin.menu() if entry.is_visible() and entry.is_accessible()]
            if user.is_authenticated
            else []
        )
        drawer = [view for view in admin._views if view.found_in == "drawer"] if entries else []
        return {
            "settings": settings,
            "entries": entries,
            "drawer": [view for view in drawer if view.is_accessible()],
            "me": user,
            "page_here": sessions.after_sign_in,
            "demo_people": demo.PEOPLE if settings.demo else (),
            "demo_password": demo.PASSWORD,
        }

    @app.get("/healthz")
    def health():
        """For a monitor: four words, 200 when all are "ok", else 503."""
        found = upkeep.health()
        return found, 200 if set(found.values()) == {"ok"} else 503

    static.install(app)
    trouble.install(app)
    for command in COMMANDS:
        app.cli.add_command(command)
    return app


def send(notice):
    """Hand one email to the mail server; returns the emails that it gathers and told of. Raises
    what smtplib raises, and Withheld. A link to choose a passphrase is made now, and stored
    nowhere.
    """
    upkeep.beat()
    body, told = digest.words(notice, visible)
    if "{link}" in body:
        body = body.replace(
            "{link}", f"{settings.url}/reset/{generate_reset_password_token(notice.user)}"
        )
    with (
        current_app.extensions["mailman"].get_connection() as connection
    ):  # closed whatever happens, which EmailMessage.send() does not see to
        letter = EmailMessage(
            notice.subject,
            body,
            settings.mail_from,
            [notice.email],
            headers={"Message-ID": notice.message_id},
        )
        connection.send_messages([letter])
    return told


def deliver(app):
    """Send what is due, make the PDFs that a sign-off left to make, and go on importing the roll;
    returns how many emails and PDFs. Once a day, check everything.
    """
    with app.app_context(), nullcontext() if not db.is_closed() else db.connection_context():
        if time.monotonic() >= soon.get("digest", 0):
            soon["digest"] = time.monotonic() + 300  # seconds
            digest.gather(visible)
            upload.forget()
            Sheet.make_due(visible)
        sent = Notice.deliver(send)
        upkeep.beat()
        made = Document.finish()
        upload.go_on()
        soon["begin anew"] = upkeep.daily(TABLES)
        upkeep.beat()
        looks.catch_up()
        if now() >= soon.get("watch", now()):
            soon["watch"] = now() + timedelta(minutes=5)
            upkeep.watch()
            Incident.alarm()
            Kept.look()
            Slip.alarm()
        return sent, made


def deliver_for_ever(app, until=lambda: False):
    while not until():
        pause = 2  # seconds
        try:
            deliver(app)
        except Exception as problem:
            log.error("delivery: %s", without_words(problem))
            pause = 30
        time.sleep(pause)


def catch_up_for_ever(_app, until=lambda: False):
    """What this process noted of reading while the disk took nothing is its own to write."""
    while not until():
        with suppress(Exception), nullcontext() if not looks.WAITING else db.connection_context():
            looks.catch_up()
        time.sleep(2)


def serve(app, listener, beside=None):
    """Serve the app on a socket that listens, with a thread beside it: it delivers the emails,
    unless another process does.
    """
    logging.basicConfig()
    # each thread keeps its connection to SQLite: opening one, and reading the schema, costs a page
    # a millisecond or two
    app.config["KEEPS_OPEN"] = sqlite()
    threading.Thread(target=beside or deliver_for_ever, args=(app,), daemon=True).start()
    with (
        db.connection_context() if sqlite() else nullcontext()
    ):  # stays open: SQLite needs room to open the first, none for another
        server.make(app, listener).run()
        with suppress(Exception):  # the log of the process has each line
            looks.catch_up()


def serve_all(app, listener):
    """Serve the app with as many processes as are set, and one more that delivers the emails."""
    logging.basicConfig()
    number = server.processes()
    if number == 1:
        serve(app, listener)
        return
    let_go()
    answering = partial(serve, app, listener, catch_up_for_ever)
    # a process of its own gives back the memory of the daily check, by beginning anew after it
    delivering = partial(deliver_for_ever, app, lambda: soon.pop("begin anew", False))
    server.side_by_side([delivering, *[answering] * number])


@click.command("demo")
@click.option("--fresh", is_flag=True, help="Begin anew: forget what was entered.")
def demo_command(fresh):
    """Serve a fictional school, in its own database, on this machine only."""
    folder = Path(os.environ.get("SAFEGUARDING_DATA", HERE / "var")) / "demo"
    listener = server.listen("127.0.0.1")
    port = listener.getsockname()[1]
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    settings.load(
        demo=True,
        DATA=folder,
        DATABASE_URL=f"sqlite:///{folder}/demo.db",
        URL=f"http://127.0.0.1:{port}",
        **demo.SCHOOL,
    )
    with sentences():
        prepare()
    app = create_app(SECRET_KEY=secret())
    with (
        sentences(),
        alone(),
        app.app_context(),
        db.connection_context(),
    ):  # another port may build here, too
        if not User.select().exists():
            click.echo("Building the school…")
            demo.build(hash_password(demo.PASSWORD))
    click.echo(f"\n{settings.school}: http://127.0.0.1:{port}\n")
    click.echo(f"{'Name':22}{'Role':20}{'Email':22}Passphrase")
    for email, name, _title, role in demo.PEOPLE:
        click.echo(f"{name:22}{role:20}{email:22}{demo.PASSWORD}")
    click.echo(
        "\nPress Ctrl-C to stop. What you enter is kept; `make demo FRESH=1` begins anew.", nl=True
    )
    serve_all(app, listener)


@click.command("serve")
def serve_command():
    """Serve the real installation (behind TLS). Where there is nobody yet, print the link that
    creates the first two people.
    """
    key = secret()
    if len(set(key)) < 8 or len(key) < 32:
        raise click.ClickException(
            f"{settings.folder}/secret.key is too weak. Remove it, and a new one is made."
        )
    if os.environ.get("FLASK_DEBUG"):
        raise click.ClickException(
            "FLASK_DEBUG is set. Debugging shows records to strangers: unset it."
        )
    listener = server.listen(os.environ.get("HOST", "127.0.0.1"))
    with sentences():
        prepare()
    app = create_app(SECRET_KEY=key)
    with db.connection_context():
        if not User.select().exists():
            click.echo("There is nobody here yet. Open this link within 24 hours; it works once:")
            click.echo(f"\n    {settings.url}/setup/{SetupLink.make()}\n")
    serve_all(app, listener)


@click.command("deliver")
@with_appcontext
def deliver_command():
    """Send the emails that are due, once; run it every minute where no server thread does."""
    with opened():
        sent, made = deliver(current_app)
    click.echo(f"{counted(sent, 'email')} sent, {counted(made, 'PDF')} made.")


COMMANDS = (demo_command, serve_command, deliver_command, *commands.COMMANDS)
