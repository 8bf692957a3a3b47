"""Signatures and time stamps: of kept copies, of the daily head, and what happens when the
authority does not answer.
"""

import re
from base64 import b64decode
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from models import TABLES, Document, Event, Log, Notice, Refused, db
from models.ground.clock import at, now
from models.ground.settings import settings
from models.history.document import to_pdf
from models.history.event import GENESIS, link
from models.history.seal import certificate, fingerprint, sign, stamp_of
from models.shelf import copies, proof, upkeep

from . import tsa
from .faults import untie, whole

PAGE = "<html><head></head><body>A paper</body></html>"


@pytest.fixture(scope="module")
def clock():
    """The time stamping authority of this file's tests."""
    with tsa.authority() as server:
        yield server


@pytest.fixture
def stamping(school, clock, monkeypatch):
    """The installation asks the authority."""
    clock.mood, clock.moods, clock.asked = "ok", [], 0
    monkeypatch.setattr(settings, "timestamp_url", clock.url)
    return clock


@pytest.fixture
def paper(monkeypatch):
    """A short page for the copy: what is on it is not what these tests are about."""
    monkeypatch.setattr("models.history.document.to_pdf", lambda words, seconds: to_pdf(PAGE))


@pytest.fixture
def completed(school, log):
    """A log that Alice signed off, its copy still to be made."""
    log.complete_anyway(reason="The family moved.", by=school.alice)
    return Document.get()


def kept(document):
    Document.finish()
    return Document.get_by_id(document.id).kept


def test_verify_looks_at_the_signature_of_every_copy(school, completed, paper, monkeypatch):
    """A copy that was put in its place before it was kept fits its hash, but nobody signed it."""
    monkeypatch.setattr("models.history.document.seal", lambda pdf, reason: (pdf, False))
    assert kept(completed)["signed"]
    with pytest.raises(Refused, match="The signature of kept copy 1 is not whole"):
        whole()


def test_verify_counts_signatures_by_whose_they_are(school, completed, paper):
    assert (
        kept(completed)
        and whole()[3] == "1 kept copies, all as they were signed: 1 with a whole signature."
    )
    (settings.folder / "signing.pem").unlink()
    assert whole()[3].endswith(
        "1 with a whole signature, 1 of these by a certificate in use before."
    )


def test_a_copy_from_before_copies_were_signed_has_no_signature_to_look_at(
    school, completed, paper, monkeypatch
):
    monkeypatch.setattr("models.history.document.seal", lambda pdf, reason: (pdf, False))
    write = Event.write.__func__

    def as_then(cls, *args, signed=None, **detail):
        return write(cls, *args, **detail)

    monkeypatch.setattr(Event, "write", classmethod(as_then))
    assert "signed" not in kept(completed)
    assert (
        whole()[3]
        == "1 kept copies, all as they were signed: 0 with a whole signature, 1 kept before "
        "copies were signed."
    )


def test_the_daily_head_is_signed_for_anybody_who_has_the_certificate(cast, app, school, incident):
    upkeep.daily(TABLES)
    body = Notice.select().order_by(Notice.id.desc()).first().body
    line, signed, known = re.search(
        r"(history [0-9a-f]{64})\nsigned (\S+)\ncertificate ([0-9a-f]{64})\n", body
    ).groups()
    public = certificate().public_key()
    public.verify(
        b64decode(signed), line.encode(), ec.ECDSA(hashes.SHA256())
    )  # as openssl dgst -sha256 -verify does
    with pytest.raises(InvalidSignature):
        public.verify(
            b64decode(signed),
            line.replace("history ", "history 1 ").encode(),
            ec.ECDSA(hashes.SHA256()),
        )
    assert known == fingerprint() == certificate().fingerprint(hashes.SHA256()).hex()
    given = f"{line} signed {signed}"
    for way in (
        given,
        f"{line}\nsigned {signed}",
        f"{line}signed {signed}",
    ):  # a field of one line joins what is pasted into it
        assert "It was signed by this installation" in proof.compare(way)
        assert (
            "It was signed by this installation"
            in cast.alice.get("/event/", query_string={"anchor": way}).text_only
        )
    assert "signed by this installation" in proof.findings(TABLES, given)[-1]
    assert "signed" not in proof.compare(line)
    db.close()
    said = app.test_cli_runner().invoke(args=["verify", "--anchor", given]).output
    db.connect(reuse_if_open=True)
    assert "The line that you gave was signed by this installation." in said


@pytest.mark.parametrize("change", ["number", "signature", "certificate"])
def test_a_line_with_a_signature_that_is_not_ours_is_refused(school, incident, change):
    upkeep.daily(TABLES)
    body = Notice.select().order_by(Notice.id.desc()).first().body
    line, signed = re.search(r"(history [0-9a-f]{64})\nsigned (\S+)\n", body).groups()
    if change == "number":
        line = f"history {Event.get_by_id(Event.head().id - 2).hash}"
    elif change == "signature":
        signed = signed[:40] + ("A" if signed[40] != "A" else "B") + signed[41:]
    else:
        (settings.folder / "signing.pem").unlink()
    for check in (proof.compare, lambda given: proof.findings(TABLES, given)):
        with pytest.raises(Refused, match="not signed by this installation"):
            check(f"{line} signed {signed}")


def test_the_signature_of_a_copy_carries_a_time_stamp(school, completed, paper, stamping):
    assert kept(completed)["stamped"] and stamping.asked
    given, by = stamp_of(completed.get_by_id(completed.id).content())
    assert abs(given - now()) < timedelta(minutes=5) and by == "Thornley Time"
    assert "Thornley Time stamped it on" in copies.of_paper(Document.get().content()) and whole()


@pytest.mark.parametrize("mood", ["busy", "moved", "garbage", "liar", "slow", "gone"])
def test_an_authority_that_fails_keeps_no_copy_from_being_kept(
    school, completed, paper, stamping, monkeypatch, caplog, mood
):
    monkeypatch.setattr("models.history.seal.TIMEOUT", 0.2 if mood == "slow" else 10)
    stamping.mood = mood
    if mood == "gone":
        monkeypatch.setattr(settings, "timestamp_url", "http://127.0.0.1:9/")
    assert kept(completed)["signed"] and not Document.get().kept.get("stamped")
    assert stamping.asked == {"gone": 0, "liar": 2}.get(mood, 1), (
        "it is not asked again and again, nor where it points to"
    )
    assert stamp_of(Document.get().content()) is None and "time stamp" in caplog.text and whole()
    assert (
        "It carries no time stamp, for the authority did not answer"
        in Event.get(Event.verb == "document:keep").sentence
    )


def test_a_copy_that_lost_its_stamp_is_found(school, completed, paper, stamping, monkeypatch):
    monkeypatch.setattr(
        "models.history.document.seal", lambda pdf, reason: (sign(pdf, reason), True)
    )
    assert kept(completed)
    with pytest.raises(Refused, match="Kept copy 1 has no time stamp"):
        whole()


def stamps():
    return Event.select().where(Event.verb == "event:stamp").count()


def test_the_head_is_stamped_each_month_and_after_each_sign_off(school, completed, paper, stamping):
    def day(number):
        with at(now() + timedelta(days=number)):
            assert upkeep.daily(TABLES)
        return stamps()

    assert [day(0), day(1), day(29)] == [1, 1, 1], "a month has not gone by"
    assert day(30) == 2, "renewed"
    with at(now() + timedelta(days=31)):
        Log.get().reopen(reason="More came up.", by=school.alice)
        Log.get().complete_anyway(reason="Now it is enough.", by=school.alice)
        assert Document.finish() == 1
    assert [day(32), day(33)] == [3, 3], "it vouches for the new copy within a day"
    stamp = Event.latest("event:stamp")
    stamped = Event.get(Event.hash == stamp.detail["head"].split()[1])
    assert (
        Event.select().where(Event.verb == "document:keep").order_by(Event.id.desc()).first().id
        < stamped.id
    )
    assert (
        whole()[-1].startswith("3 time stamps, the latest of ")
        and "by Thornley Time" in whole()[-1]
    )


def test_without_an_address_nobody_is_asked(school, incident, clock):
    before = clock.asked
    assert upkeep.daily(TABLES) and not stamps() and clock.asked == before
    assert "time stamp" not in " ".join(upkeep.warnings(now(), upkeep.latest()))


def test_nobody_waits_for_the_authority_within_a_transaction(
    school, completed, paper, stamping, monkeypatch
):
    asked = []

    def watched(*args, **kwargs):
        asked.append(db.in_transaction())
        return real(*args, **kwargs)

    from models.history import seal

    real = seal.apart
    monkeypatch.setattr("models.history.seal.apart", watched)
    Document.finish()
    token = seal.stamp("history 1 " + "0" * 64)
    monkeypatch.setattr(
        "models.shelf.upkeep.stamp", lambda line: asked.append(db.in_transaction()) or token
    )
    monkeypatch.setattr("models.shelf.proof.verify", lambda tables: [])
    assert upkeep.daily(TABLES) and len(asked) > 3 and not any(asked)


@pytest.mark.parametrize("mood", ["busy", "liar"])
def test_an_authority_that_fails_is_warned_of_and_asked_again(
    cast, school, incident, stamping, caplog, mood
):
    stamping.mood = mood
    assert upkeep.daily(TABLES) and not stamps()
    assert "The time stamping authority gave no stamp" in cast.ira.get("/").text_only
    stamping.mood = "ok"
    with at(now() + timedelta(days=1)):
        assert upkeep.daily(TABLES) and stamps() == 1
        assert "The time stamping authority" not in " ".join(
            upkeep.warnings(now(), upkeep.latest())
        )


def rewritten(change):
    """The whole chain anew, every hash right, after `change(event)` of each."""
    untie("event", "payload", "update")
    previous = GENESIS
    for event in Event.select().order_by(Event.id):
        change(event)
        event.digest, event.previous = sha256(event.payload.encode()).hexdigest(), previous
        event.hash = previous = link(event)
        event.save()


def test_a_stamp_shows_a_history_that_was_rewritten_whole(school, incident, stamping):
    upkeep.daily(TABLES)

    def another(event):
        event.payload = (
            event.payload.replace("Dave", "Dina")
            if event.verb == "incident:report"
            else event.payload
        )

    rewritten(another)
    with pytest.raises(Refused, match=r"was time-stamped on .* the history was rewritten"):
        copies.stamps()


def test_a_forged_stamp_is_found(school, incident, stamping):
    upkeep.daily(TABLES)

    def moved(event):
        if event.verb == "event:stamp":
            event.payload = event.payload.replace("history ", "history 1")

    rewritten(moved)
    with pytest.raises(Refused, match="was not given for the line"):
        copies.stamps()
