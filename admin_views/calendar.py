"""The calendar behind a secret address: days and hours on which something is due, and no other
word.
"""

from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlsplit
from zlib import crc32

from flask import abort, request

from models import Calendar, Case, Task, Triage, now, settings, visible
from models.access.calendar import count_wrong, waits
from models.case.owed import owed_of

DUE = "Safeguarding Tracker: something is due"
HOURS = timedelta(hours=6)  # between two times that a calendar asks


def feed(token):
    """What is due of whoever's address this is, as days and hours. It needs no session and sets no
    cookie; anything but an address that counts does not exist.
    """
    from icalendar import Calendar as Ical  # few ask: it is loaded for the first who does
    from icalendar import Event as Entry

    place = crc32((request.remote_addr or "").encode())
    if waits(place):
        abort(429)
    calendar = Calendar.find(token)
    if not calendar:
        count_wrong(place)
        abort(404)
    answer = Ical()
    answer.add("prodid", "-//Safeguarding Tracker//EN")
    answer.add("version", "2.0")
    answer.add("x-wr-calname", "Safeguarding Tracker")
    answer.add("refresh-interval", HOURS, parameters={"VALUE": "DURATION"})
    host = urlsplit(settings.url).hostname
    for key, on in due(calendar.user):
        entry = Entry()
        # the same at each asking, and no number that would count anything
        entry.add("uid", f"{sha256(f'{calendar.token} {key}'.encode()).hexdigest()[:32]}@{host}")
        entry.add("dtstamp", now())
        entry.add("dtstart", on)
        entry.add("summary", DUE)
        entry.add("url", f"{settings.url}/")
        entry.add("class", "PRIVATE")
        entry.add("transp", "TRANSPARENT")
        answer.add_component(entry)
    headers = {"Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "private"}
    return answer.to_ical(), headers


def due(person):
    """What waits for `person`, as far as they may see it now: [(key, day or moment)] of their open
    tasks, the days on which they look again at a case or a decision, and the hours of the duties.
    """
    mine = visible(Task, person).where(Task.owner == person, Task.status == "open")
    found = [(task.id, task.due_on) for task in mine.order_by(Task.due_on, Task.id)]
    cases = visible(Case, person).where(Case.led_by(person), Case.status == "monitoring")
    found += [(f"case {case.id}", case.monitor_until) for case in cases]
    found += [(f"triage {one.id}", one.review_on) for one in Triage.to_look_at(person, visible)]
    duties = owed_of(person, visible) if person.may("contact:add") else ()
    return found + [
        (f"duty {one.duty.id} {one.incident.id}", one.due_at)
        for one in duties
        if one.due_at and not one.done
    ]
