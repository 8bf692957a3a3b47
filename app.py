"""Settings, database, extensions, screens and commands, plugged together."""

import logging
import os
import secrets
import shutil
import threading
import time
from pathlib import Path
from uuid import uuid4

import click
from flask import Flask, current_app, g, render_template, request
from flask.cli import with_appcontext
from flask_login import current_user
from flask_mailman import EmailMessage, Mail
from flask_security import PeeweeUserDatastore, Security, hash_password
from flask_wtf import CSRFProtect
from playhouse.migrations import Runner
from werkzeug.exceptions import HTTPException

import admin_views
from models import Choice, Document, Event, Notice, Refused, Role, Template, User, UserRole, db, demo
from models import event as history
from models.base import connect
from models.settings import settings
from models.words import FILTERS

HERE = Path(__file__).parent
log = logging.getLogger("safeguarding")
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; connect-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def secret():
    """The installation's secret key: made at first use, readable by its owner only, never in code or settings."""
    file = settings.folder / "secret.key"
    if not file.exists():
        settings.folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
            out.write(secrets.token_hex(32))
    return file.read_text()


def create_app(**config):
    """The Flask application for the settings that are loaded. `config` overrides Flask's configuration, for tests."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_hex(32),  # of this process; what serves people gives the installation's own
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=int(5_000_000 * float(settings.upload_mb)),
        MAX_FORM_MEMORY_SIZE=20_000_000,
        MAX_FORM_PARTS=5_000,
        WTF_CSRF_TIME_LIMIT=None,
        FLASK_ADMIN_RAISE_ON_VIEW_EXCEPTION=True,
        SECURITY_PASSWORD_SALT="kept for Flask-Security; argon2 makes its own",  # noqa: S106
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of the scheme
        SECURITY_PASSWORD_LENGTH_MIN=12,
        SECURITY_TRACKABLE=True,
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_SEND_REGISTER_EMAIL=False,
        SECURITY_POST_LOGIN_VIEW="/",
        SECURITY_POST_LOGOUT_VIEW="/login",
        MAIL_BACKEND="dummy" if settings.demo else "smtp",
        MAIL_SERVER=settings.mail_server,
        MAIL_PORT=int(settings.mail_port),
        MAIL_USERNAME=settings.mail_username or None,
        MAIL_PASSWORD=settings.mail_password or None,
        MAIL_USE_TLS=settings.mail_tls == "yes",
        MAIL_DEFAULT_SENDER=settings.mail_from,
        MAIL_TIMEOUT=20,
    )
    app.config.update(config)
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    CSRFProtect(app)
    Mail(app)
    Security(app, PeeweeUserDatastore(db, User, Role, UserRole))
    admin = admin_views.install(app, settings)

    @app.before_request
    def open_database():
        g.opened = db.connect(reuse_if_open=True)
        history.address.set(request.remote_addr or "")

    @app.teardown_request
    def close_database(_problem):
        if g.pop("opened", False):
            db.close()

    @app.after_request
    def harden(response):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.context_processor
    def on_every_page():
        entries = [entry for entry in admin.menu() if entry.is_visible() and entry.is_accessible()] if current_user.is_authenticated else []
        return {
            "settings": settings,
            "entries": entries,
            "me": current_user,
            "demo_people": demo.PEOPLE if settings.demo else (),
            "demo_password": demo.PASSWORD,
        }

    @app.errorhandler(HTTPException)
    def plain_page(problem):
        return render_template("error.html", code=problem.code, name=problem.name), problem.code

    @app.errorhandler(Exception)
    def unexpected(problem):
        g.problem = uuid4().hex[:12]
        log.error("problem %s at %s", g.problem, request.endpoint, exc_info=problem)
        return render_template("error.html", code=500, name="Something went wrong", problem=g.problem), 500

    @app.errorhandler(Refused)
    def refused(problem):
        return render_template("error.html", code=409, name=str(problem)), 409

    for command in (demo_command, serve_command, migrate_command, deliver_command, verify_command):
        app.cli.add_command(command)
    return app


def prepare():
    """Open the database, apply migrations, and ship roles, lists and templates that are not there yet."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    connect(settings.database)
    with db.connection_context():
        Runner(db.obj, str(HERE / "models" / "migrations")).up()
        with db.atomic():
            Role.ship()
            Choice.ship()
            Template.ship()


def send(notice):
    """Hand one email to the mail server. Raises what smtplib raises."""
    with current_app.extensions[
        "mailman"
    ].get_connection() as connection:  # closed whatever happens, which EmailMessage.send() does not see to
        letter = EmailMessage(notice.subject, notice.body, settings.mail_from, [notice.email], headers={"Message-ID": notice.message_id})
        connection.send_messages([letter])


def deliver(app):
    """Send what is due and make the PDFs that a sign-off left to make; returns how many of each."""
    with app.app_context(), db.connection_context():
        return Notice.deliver(send), Document.finish()


def deliver_for_ever(app):
    while True:
        try:
            deliver(app)
        except Exception:
            log.exception("delivery")
        time.sleep(2)


def serve(app, host):
    """Serve the app with the emails delivered by a thread beside it."""
    from waitress import serve as waitress

    threading.Thread(target=deliver_for_ever, args=(app,), daemon=True).start()
    waitress(
        app,
        host=host,
        port=int(os.environ.get("PORT", "5000")),
        threads=8,
        ident="",
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"],
    )


@click.command("demo")
@click.option("--fresh", is_flag=True, help="Begin anew: forget what was entered.")
def demo_command(fresh):
    """Serve a fictional school, in its own database, on this machine only."""
    folder = Path(os.environ.get("SAFEGUARDING_DATA", HERE / "var")) / "demo"
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    port = os.environ.get("PORT", "5000")
    settings.load(demo=True, DATA=folder, DATABASE_URL=f"sqlite:///{folder}/demo.db", URL=f"http://127.0.0.1:{port}", **demo.SCHOOL)
    prepare()
    app = create_app(SECRET_KEY=secret())
    with app.app_context(), db.connection_context():
        if not User.select().exists():
            click.echo("Building the school…")
            demo.build(hash_password(demo.PASSWORD))
    click.echo(f"\n{settings.school}: http://127.0.0.1:{port}\n")
    click.echo(f"{'Name':22}{'Role':20}{'Email':22}Password")
    for email, name, _title, role in demo.PEOPLE:
        click.echo(f"{name:22}{role:20}{email:22}{demo.PASSWORD}")
    click.echo("\nPress Ctrl-C to stop. What you enter is kept; `make demo FRESH=1` begins anew.", nl=True)
    serve(app, "127.0.0.1")


@click.command("serve")
def serve_command():
    """Serve the real installation (behind TLS)."""
    prepare()
    with db.connection_context():
        if not User.select().exists():
            raise click.ClickException(
                "This installation has no people yet, and the set-up of the first two is not built yet. Try `make demo`."
            )
    serve(create_app(SECRET_KEY=secret()), os.environ.get("HOST", "127.0.0.1"))


@click.command("migrate")
def migrate_command():
    """Bring the database to this version's schema."""
    prepare()
    click.echo("The database is up to date.")


@click.command("deliver")
@with_appcontext
def deliver_command():
    """Send the emails that are due, once; run it every minute where no server thread does."""
    connect(settings.database)
    sent, made = deliver(current_app)
    click.echo(f"{sent} emails sent, {made} PDFs made.")


@click.command("verify")
def verify_command():
    """Check that the history is whole; name the first event that does not fit."""
    connect(settings.database)
    with db.connection_context():
        try:
            click.echo(f"{Event.verify()} events, all fit.")
        except Refused as problem:
            raise click.ClickException(str(problem)) from None
