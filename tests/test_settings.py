"""What IT sets: each of its kind, and what cannot be read is named in a sentence before anything starts."""

import os
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import app as application
from models.ground.settings import (
    ALL,
    FILE,
    FOLDER,
    SECRET,
    TEXT,
    Settings,
    Wrong,
    settings,
    unknown,
)

HERE = Path(__file__).parent.parent


def wrong(**given):
    """The sentences, one for each bad setting."""
    with pytest.raises(Wrong) as found:
        Settings().load(**given)
    return str(found.value).splitlines()


@pytest.mark.parametrize(
    "name, bad, cure",
    [
        ("NOTIFY_HOURS", "soon", "give a number of hours, for example 24."),
        ("NOTIFY_HOURS", "-1", "give a number of hours, for example 24."),
        ("NOTIFY_HOURS", "nan", "give a number of hours, for example 24."),
        ("NOTIFY_HOURS", "1e300", "give a number of hours, for example 24."),
        ("UPLOAD_MB", "10 MB", "give a number of megabytes, for example 10."),
        ("UPLOAD_MB", "0", "give a number of megabytes, for example 10."),
        ("LOCAL", "true", "give yes or no."),
        ("MAIL_TLS", "1", "give yes or no."),
        ("PROXIES", "one", "give a whole number, for example 1."),
        ("PROXIES", "-1", "give a whole number, for example 1."),
        ("PROXIES", "²", "give a whole number, for example 1."),
        ("MAIL_PORT", "65536", "give the number of a port, for example 5000."),
        ("MAIL_PORT", "smtp", "give the number of a port, for example 5000."),
        ("URL", "safeguarding.example", "give a web address, for example https://safeguarding.example."),
        ("URL", "https://a school", "give a web address, for example https://safeguarding.example."),
        ("URL", "https://school.example:https", "give a web address, for example https://safeguarding.example."),
        ("TIMESTAMP_URL", "ftp://stamps.example", "give a web address, for example https://safeguarding.example."),
        ("MAIL_FROM", "the school", "give an email address, for example dsl@school.example."),
        ("MAIL_FROM", "School <dsl@school.example", "give an email address, for example dsl@school.example."),
        ("SCHOOL", "Thornley\nBcc: all@school.example", "give one line of text."),
        ("DATA", __file__, "give the path of a folder that this account may open."),
        ("DATA", f"{__file__}/data", "give the path of a folder that this account may open."),
        ("BACKUPS", "/" + "x" * 300, "give the path of a folder that this account may open."),
        ("BACKUP_KEY", "/nowhere/key", "give the path of a file that is there and that this account may read."),
        ("BACKUP_KEY", str(HERE), "give the path of a file that is there and that this account may read."),
    ],
)  # fmt: skip
def test_a_bad_value_is_named_with_its_cure(name, bad, cure):
    assert "\n".join(wrong(**{name: bad})) == f"SAFEGUARDING_{name} is “{bad}”: {cure}"


def test_all_bad_ones_are_named_at_once_and_nothing_is_taken():
    before = dict(vars(settings))
    with pytest.raises(Wrong) as found:
        settings.load(NOTIFY_HOURS="soon", SCHOOL="Elsewhere", MAIL_PORT="smtp", LOCAL="perhaps")
    named = [
        line.split()[0].removeprefix("SAFEGUARDING_") for line in str(found.value).splitlines()
    ]
    assert named == ["LOCAL", "NOTIFY_HOURS", "MAIL_PORT"]
    assert vars(settings) == before


def test_a_passphrase_that_cannot_be_read_is_not_repeated():
    assert wrong(MAIL_PASSWORD="quiet\x07secret") == [
        "SAFEGUARDING_MAIL_PASSWORD cannot be read: give one line of text."
    ]


def test_good_values_are_of_their_kind(tmp_path):
    key = tmp_path / "key"
    key.write_text("k" * 64)
    taken = Settings().load(
        DATA=tmp_path / "not yet", SCHOOL="Ysgol Dŵr Glân", URL="https://school.example:8443/", LOCAL=" Yes ",
        PROXIES="2", NOTIFY_HOURS="1.5", UPLOAD_MB="0.05", BACKUPS=str(tmp_path), BACKUP_KEY=key,
        TIMESTAMP_URL="http://127.0.0.1:9/", MAIL_PORT="587", MAIL_TLS="NO", MAIL_PASSWORD="two  spaces",
        MAIL_FROM="Thornley Beck <dsl@school.example>",
    )  # fmt: skip
    assert taken.folder == taken.data == tmp_path / "not yet" and taken.school == "Ysgol Dŵr Glân"
    assert taken.url == "https://school.example:8443", "links are made by putting a path behind it"
    assert (taken.local, taken.mail_tls, taken.proxies, taken.mail_port) == (True, False, 2, 587)
    assert (taken.notify_hours, taken.upload_mb) == (1.5, 0.05)
    assert (taken.backups, taken.backup_key) == (tmp_path, key)
    assert taken.timestamp_url == "http://127.0.0.1:9/" and taken.mail_password == "two  spaces"
    assert taken.mail_from == "Thornley Beck <dsl@school.example>"


def test_nothing_is_the_default():
    taken = Settings().load(
        NOTIFY_HOURS="", LOCAL="  ", BACKUPS="", BACKUP_KEY="", TIMESTAMP_URL="", URN=""
    )
    assert (taken.notify_hours, taken.local, taken.urn) == (24, False, "")
    assert taken.backups is taken.backup_key is taken.timestamp_url is None


def test_the_attributes_say_of_which_kind_they_are():
    hints = get_type_hints(Settings)
    for name, (default, _help, kind) in ALL.items():
        gives = get_type_hints(kind.read)["return"]
        may_be_none = not default and kind not in (TEXT, SECRET)
        expected = gives | None if may_be_none else gives
        assert hints.get(name.lower()) == expected, f"Settings: write {name.lower()}: {expected}"
    assert ALL["DATA"][2] is FOLDER and ALL["BACKUP_KEY"][2] is FILE


def test_a_typing_slip_in_a_name_is_not_silent(monkeypatch):
    assert unknown() == [], "this machine sets something else"
    monkeypatch.setenv("SAFEGUARDING_NOTIFY_HOUR", "12")
    monkeypatch.setenv("SAFEGUARDING_BACKUP_PASSPHRASE", "is read by flask backup")
    monkeypatch.setenv("SAFEGUARDING_XYZZY", "")
    assert unknown() == [
        "SAFEGUARDING_NOTIFY_HOUR is not a setting, and does nothing: perhaps SAFEGUARDING_NOTIFY_HOURS was meant.",
        "SAFEGUARDING_XYZZY is not a setting, and does nothing.",
    ]


def typed(tmp_path, *command, **environment):
    """`flask …`, as IT types it, with these variables set."""
    known = {"SAFEGUARDING_DATA": str(tmp_path / "var"), "FLASK_APP": "app", "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "flask", *command],
        cwd=HERE, env=os.environ | known | environment, capture_output=True, text=True, encoding="utf-8", timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("command", [command.name for command in application.COMMANDS])
def test_no_command_starts_with_a_bad_setting(tmp_path, command):
    ended = typed(
        tmp_path,
        command,
        SAFEGUARDING_NOTIFY_HOURS="soon",
        SAFEGUARDING_LOCAL="maybe",
        PORT="first",
    )
    assert ended.returncode == 1 and ended.stdout == ""
    assert ended.stderr.splitlines() == [
        "PORT is “first”: give the number of a port, for example 5000.",
        "SAFEGUARDING_LOCAL is “maybe”: give yes or no.",
        "SAFEGUARDING_NOTIFY_HOURS is “soon”: give a number of hours, for example 24.",
    ]
    assert not (tmp_path / "var").exists()


def test_an_unknown_name_is_a_warning_and_the_command_goes_on(tmp_path):
    ended = typed(tmp_path, "migrate", SAFEGUARDING_SHCOOL="Thornley Beck School")
    assert ended.returncode == 0 and ended.stdout == "The database is up to date.\n"
    assert (
        ended.stderr
        == "SAFEGUARDING_SHCOOL is not a setting, and does nothing: perhaps SAFEGUARDING_SCHOOL was meant.\n"
    )
