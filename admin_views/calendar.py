"""The calendar behind a secret address: days on which something is due, and no other word."""

from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlsplit
from zlib import crc32

from flask import abort, request
from icalendar import Calendar as Ical
from icalendar import Event as Entry

from models import Calendar, Task, now, settings, visible
from models.access.calendar import count_wrong, waits

DUE = "Safeguarding Tracker: something is due"
HOURS = timedelta(hours=6)  # between two times that a calendar asks


def feed(token):
    """The open tasks of whoever's address this is, as their days. It needs no session and sets no
    cookie; anything but an address that counts does not exist.
    """
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
    for task in due(calendar.user):
        entry = Entry()
        # the same at each asking, and no number that would count tasks
        entry.add(
            "uid", f"{sha256(f'{calendar.token} {task.id}'.encode()).hexdigest()[:32]}@{host}"
        )
        entry.add("dtstamp", now())
        entry.add("dtstart", task.due_on)
        entry.add("summary", DUE)
        entry.add("url", f"{settings.url}/")
        entry.add("class", "PRIVATE")
        entry.add("transp", "TRANSPARENT")
        answer.add_component(entry)
    headers = {"Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "private"}
    return answer.to_ical(), headers


def due(person):
    """The open tasks of `person` that they may see now."""
    mine = visible(Task, person).where(Task.owner == person, Task.status == "open")
    return mine.order_by(Task.due_on, Task.id)
