"""Settings, database, extensions, screens and commands, plugged together."""

import logging
import os
import secrets
import shutil
import sqlite3
import threading
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

import click
from flask import Flask, current_app, g, request
from flask.cli import with_appcontext
from flask_login import current_user
from flask_mailman import EmailMessage, Mail
from flask_security import PeeweeUserDatastore, Security, hash_password
from flask_security.recoverable import generate_reset_password_token
from flask_wtf import CSRFProtect
from peewee import PeeweeException
from werkzeug.middleware.proxy_fix import ProxyFix

import admin_views
from admin_views import signin, trouble
from models import (
    TABLES,
    Choice,
    Document,
    Event,
    Notice,
    Refused,
    Role,
    SetupLink,
    Template,
    User,
    UserRole,
    WebAuthn,
    backup,
    db,
    demo,
    proof,
    transaction,
)
from models import event as history
from models.base import connect
from models.copying import alone, copy_to, pending, upgrade
from models.settings import settings
from models.words import FILTERS

HERE = Path(__file__).parent
log = logging.getLogger("safeguarding")
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self' 'nonce-{nonce}'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
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
    return settings.secret("secret.key", lambda: secrets.token_hex(32).encode()).decode()


def create_app(**given):
    """The Flask application for the settings that are loaded. `given` overrides Flask's configuration."""
    app = Flask(__name__)
    secret = given.pop("SECRET_KEY", "") or secrets.token_hex(
        32
    )  # of this process only, unless what serves people gives the installation's own
    plain_http = settings.demo or settings.local == "yes"
    app.config.update(signin.config(secret))
    app.config.update(
        SECRET_KEY=secret, SESSION_COOKIE_NAME="session" if plain_http else "__Host-session", SESSION_COOKIE_SECURE=not plain_http,
        SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax", WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False,  # no Referer: our policy withholds it
        FLASK_ADMIN_RAISE_ON_VIEW_EXCEPTION=True,
        MAX_CONTENT_LENGTH=int(5_000_000 * float(settings.upload_mb)), MAX_FORM_MEMORY_SIZE=20_000_000, MAX_FORM_PARTS=5_000,
        TRUSTED_HOSTS=[urlsplit(settings.url).hostname, "127.0.0.1", "localhost"],
        MAIL_BACKEND="dummy" if settings.demo else "smtp", MAIL_SERVER=settings.mail_server, MAIL_PORT=int(settings.mail_port),
        MAIL_USERNAME=settings.mail_username or None, MAIL_PASSWORD=settings.mail_password or None, MAIL_USE_TLS=settings.mail_tls == "yes",
        MAIL_DEFAULT_SENDER=settings.mail_from, MAIL_TIMEOUT=20,
    )  # fmt: skip
    app.config.update(given)
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    proxies = int(settings.proxies)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0) if proxies else app.wsgi_app

    @app.before_request
    def open_database():
        g.opened = db.connect(reuse_if_open=True)
        g.nonce = secrets.token_urlsafe(16)
        history.address.set(request.remote_addr or "")

    CSRFProtect(app)
    Mail(app)
    security = Security(
        app, PeeweeUserDatastore(db, User, Role, UserRole, WebAuthn), totp_cls=signin.CodeOnce, mail_util_cls=signin.Outbox, password_util_cls=signin.Passphrase,
        login_form=signin.Login, verify_form=signin.Again, two_factor_verify_code_form=signin.Code, mf_recovery_form=signin.Recovery, change_password_form=signin.Change, forgot_password_form=signin.Forgot,
    )  # fmt: skip
    signin.install(app, security)
    admin = admin_views.install(app, settings)

    @app.teardown_request
    def close_database(_problem):
        if g.pop("opened", False):
            db.close()

    @app.after_request
    def harden(response):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value.replace("{nonce}", g.get("nonce", "")))
        if app.config["SESSION_COOKIE_SECURE"]:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
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

    trouble.install(app)
    for command in COMMANDS:
        app.cli.add_command(command)
    return app


def prepare(backed_up=False):
    """Open the database, bring it to this version's schema, and ship roles, lists and templates that are not there yet."""
    os.umask(0o077)  # what we write is for this account alone
    with alone():
        connect(settings.database)
        with db.connection_context():
            upgrade(backed_up)
            with transaction():
                Role.ship()
                Choice.ship()
                Template.ship()
                Document.adopt()
                proof.adopt(TABLES)


def send(notice):
    """Hand one email to the mail server. Raises what smtplib raises. A link to choose a passphrase is made now, and stored nowhere."""
    body = notice.body
    if "{link}" in body:
        body = body.replace("{link}", f"{settings.url}/reset/{generate_reset_password_token(notice.user)}")
    with current_app.extensions[
        "mailman"
    ].get_connection() as connection:  # closed whatever happens, which EmailMessage.send() does not see to
        letter = EmailMessage(notice.subject, body, settings.mail_from, [notice.email], headers={"Message-ID": notice.message_id})
        connection.send_messages([letter])


def deliver(app):
    """Send what is due and make the PDFs that a sign-off left to make; returns how many of each. Once a day, check everything."""
    with app.app_context(), nullcontext() if not db.is_closed() else db.connection_context():
        done = Notice.deliver(send), Document.finish()
        proof.daily(TABLES)
        return done


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
        clear_untrusted_proxy_headers=int(settings.proxies) == 0,
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
    with sentences():
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
    """Serve the real installation (behind TLS). Where there is nobody yet, print the link that creates the first two people."""
    key = secret()
    if len(set(key)) < 8 or len(key) < 32:
        raise click.ClickException(f"{settings.folder}/secret.key is too weak. Remove it, and a new one is made.")
    if os.environ.get("FLASK_DEBUG"):
        raise click.ClickException("FLASK_DEBUG is set. Debugging shows records to strangers: unset it.")
    with sentences():
        prepare()
    app = create_app(SECRET_KEY=key)
    with db.connection_context():
        if not User.select().exists():
            click.echo("There is nobody here yet. Open this link within 24 hours; it works once:")
            click.echo(f"\n    {settings.url}/setup/{SetupLink.make()}\n")
    serve(app, os.environ.get("HOST", "127.0.0.1"))


@click.command("migrate")
@click.option("--backed-up", is_flag=True, help="On PostgreSQL without pg_dump: you made a copy yourself.")
def migrate_command(backed_up):
    """Bring the database to this version's schema, after a copy of it in the data folder."""
    with sentences():
        prepare(backed_up)
    click.echo("The database is up to date.")


@click.command("deliver")
@with_appcontext
def deliver_command():
    """Send the emails that are due, once; run it every minute where no server thread does."""
    with opened():
        sent, made = deliver(current_app)
    click.echo(f"{sent} emails sent, {made} PDFs made.")


@click.command("verify")
@click.argument("paper", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--anchor", default="", help="The line “history N HASH” of a paper, a backup or a daily email, to be checked as well.")
def verify_command(paper, anchor):
    """Check that everything kept fits together, or whether a PDF is what was signed off; name the first thing that does not fit."""
    with opened():
        for line in [proof.of_paper(paper.read_bytes())] if paper else proof.verify(TABLES, anchor):
            click.echo(line)


def locked_by(command):
    """Give a backup command its folder and what locks the keys: a key file, or a passphrase from the environment or the keyboard."""
    command = click.option(
        "--key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File whose content locks the keys."
    )(command)
    return click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))(command)


def place_and_secret(folder, key_file):
    key_file = key_file or (Path(settings.backup_key) if settings.backup_key else None)
    secret = key_file.read_bytes() if key_file else os.environ.get("SAFEGUARDING_BACKUP_PASSPHRASE", "").encode()
    if not (folder or settings.backups):
        raise click.UsageError("Name the folder of the backups, here or in SAFEGUARDING_BACKUPS.")
    if not secret:
        secret = click.prompt("Passphrase of the backup", hide_input=True).encode()
    if len(secret) < 12:
        raise click.UsageError("What locks the keys must have 12 characters or more.")
    return (folder or settings.backups).resolve(), secret


@click.command("backup")
@locked_by
def backup_command(folder, key_file):
    """Back everything up into FOLDER while people work; keep 7 daily, 4 weekly and 12 monthly ones."""
    folder, secret = place_and_secret(folder, key_file)
    with opened():
        click.echo(f"Backed up, and read back whole: {backup.make(folder, secret, TABLES)}")


@click.command("restore")
@locked_by
def restore_command(folder, key_file):
    """Bring the newest backup in FOLDER (or the one it names) back onto an empty machine; emails are held until a Level 5 releases them."""
    folder, secret = place_and_secret(folder, key_file)
    with opened(checked=False):
        click.echo(f"Restored {backup.restore(folder, secret, TABLES)}.")
    with sentences():
        prepare()
    with opened():
        for line in proof.verify(TABLES):
            click.echo(line)
    click.echo("Emails are held back: a Level 5 looks at them and releases them on the page History.")


@click.command("drill")
@locked_by
def drill_command(folder, key_file):
    """Prove that the newest backup in FOLDER can be restored: do it in a folder of its own, verify it there, and note that it was done."""
    folder, secret = place_and_secret(folder, key_file)
    with opened():
        for line in backup.drill(folder, secret, TABLES):
            click.echo(line)
    click.echo("The drill went well.")


@click.command("copy-to")
@click.argument("url")
def copy_command(url):
    """Move everything to the empty database that URL names (postgresql://…), and prove by hashes that it is the same."""
    with opened():
        Event.write("event:copy", Event(), None)
        for table, digest in copy_to(url, TABLES).items():
            click.echo(f"{digest[:16]}  {table}")
    click.echo("The same in both. Set DATABASE_URL to the new one and start again; the old one stays as it is.")


@contextmanager
def sentences():
    """A rule that says no ends a command with its sentence."""
    try:
        yield
    except Refused as problem:
        raise click.ClickException(str(problem)) from None
    except (PeeweeException, sqlite3.Error) as problem:
        raise click.ClickException(f"The database could not be used: {trouble.first_cause(problem)}") from None
    except RuntimeError as problem:
        raise click.ClickException(str(problem)) from None
    except OSError as problem:
        raise click.ClickException(f"{problem.strerror or problem}: {problem.filename or ''}") from None


@contextmanager
def opened(checked=True):
    """The real database, open; `checked`: Refused when its schema is not this version's."""
    os.umask(0o077)
    settings.folder.mkdir(parents=True, exist_ok=True)
    with sentences():
        connect(settings.database).connect(reuse_if_open=True)
        try:
            if checked and pending():
                raise Refused(f"The database at {settings.folder} is not there yet, or is of an earlier version. Run flask migrate first.")
            yield
        finally:
            db.close()


COMMANDS = (
    demo_command,
    serve_command,
    migrate_command,
    deliver_command,
    verify_command,
    backup_command,
    restore_command,
    drill_command,
    copy_command,
)
