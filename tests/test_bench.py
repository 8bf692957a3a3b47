"""The rows that the bench puts into our tables are such as the program itself would have written."""

import sqlite3
from contextlib import closing

from models import TABLES, Event, Incident, Log, Section
from models.shelf import proof

from .bench import rows

STAFF = "id, name, email"
PEER = f"""
CREATE TABLE staff ({STAFF}); CREATE TABLE pupil (id, name, dob, year_group);
CREATE TABLE incident (id, ref, pupil_id, location_id, reported_by_id, occurred_at, severity, status, summary, narrative);
CREATE TABLE ofstedlog (id, incident_id); CREATE TABLE assignee (id, log_id, staff_id);
CREATE TABLE trackersection (id, log_id, body, updated_by_id);
INSERT INTO staff VALUES (1, 'Pat Quill', 'pat@peer.example'), (2, 'Lou Marsh', 'lou@peer.example');
INSERT INTO pupil VALUES (1, 'Kim Ash', '2013-05-03', 'Y7');
INSERT INTO ofstedlog VALUES (1, 3); INSERT INTO assignee VALUES (1, 1, 1), (2, 1, 2);
INSERT INTO trackersection VALUES (1, 1, 'All of it.', 2);
"""


def test_the_history_vouches_for_every_row_of_the_bench(school, cast):
    with closing(sqlite3.connect(school.folder / "peer.db")) as peer:
        peer.executescript(PEER)
        for id in range(1, 8):
            values = (
                id,
                f"INC-{id:07d}",
                1,
                id,
                id % 2 + 1,
                f"2025-03-0{id} 09:15:00",
                "high" if id < 4 else "low",
                "open",
                "A mark",
                "Words.",
            )
            peer.execute(f"INSERT INTO incident VALUES ({', '.join('?' * len(values))})", values)
        peer.commit()
    head = Event.head().id
    assert rows.fill(school.folder / "peer.db", school.mark) == Event.head().id > head + 7
    assert proof.history(TABLES) == Event.head().id
    assert Incident.select().count() == 7 and Log.get().incident_id == 3
    assert (
        Section.select().where(Section.saved_at.is_null(False)).count()
        == Section.select().count()
        > 0
    )
    assert "Kim Ash" in cast.alice.get("/incident/?status=to+decide&place=Classroom").text
