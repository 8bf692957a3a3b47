"""How far the words go of what opens less than its incident: a case, a contact, a task. The history
on another page, a paper, a refusal and an addendum say no more than the pages themselves.
"""

from datetime import timedelta

import pytest

from models import Case, Log, Share, Tracker
from models.case.incident import OfIncident
from models.ground.clock import now

from .conftest import besides, contact, report

pytestmark = pytest.mark.both


@pytest.fixture
def helped(school):
    """A log that is shared with Connor, a helper, and what others do about it beside the log."""
    incident = report(school)
    log = Log.trigger(incident, school.mark)
    Tracker.begin(log, school.carol)
    besides(school, incident)
    told = contact(school, incident, body="LADO", kind="Referral")
    told.escalate(whom="The head of the LADO’s service", what="She rings back.", by=school.carol)
    case = Case.get()
    case.edit(school.carol, outcome="It was an allegation.", parents_told="Unsafe to tell them")
    case.monitor(until=now().date() + timedelta(days=3), reason="He is back.", by=school.carol)
    Share.share(incident, school.connor, "He drives him home.", school.mark)
    return Log.get_by_id(log.id)


WORDS = ("LADO", "MASH", "allegation", "Unsafe", "He is back", "asked a question", "gave a task")


def test_a_helper_reads_of_no_case_or_contact_in_the_history_of_the_log(cast, school, helped):
    told = contact(school, helped.incident, body="LADO")
    cast.alice.get(f"/contact/details/?id={told.id}")
    path = f"/log/details/?id={helped.id}&history=all&reads=all"
    text = cast.connor.get(path).text_only
    assert "began the safeguarding tracker" in text, "what is of the log itself is there"
    assert not [word for word in WORDS if word in text]
    text = cast.alice.get(path).text_only
    assert not [word for word in WORDS if word not in text], "and whoever follows them reads all"
    assert "read the contact" in text


def test_the_paper_of_a_log_holds_no_case_and_no_contact(cast, school, helped):
    cast.alice.get(f"/contact/details/?id={contact(school, helped.incident, body='LADO').id}")
    paper = helped.paper(restricted=True)
    assert "began the safeguarding tracker" in paper and "triggered the notification" in paper
    assert not [word for word in (*WORDS, "read the contact") if word in paper]
    assert {"case", "contact", "task", "clarification", "triage"} <= OfIncident.narrower()
