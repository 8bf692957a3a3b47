"""What listens: one port, taken first, and connections that hold the line are let go."""

import socket
import threading
import time
from contextlib import ExitStack
from types import SimpleNamespace

import click
import pytest

import app as application
import server
from models import db

from .attack import HALVES, answers, served


def settled(running, number):
    """Wait until the server has `number` connections, each with what was sent of its request."""
    for _attempt in range(200):
        if len(running.active_channels) == number:
            return True
        time.sleep(0.05)
    return False


def test_what_dawdles_is_let_go_although_a_byte_comes_now_and_then(app, school):
    with served(app) as (address, running), ExitStack() as held:
        halves = [held.enter_context(socket.create_connection(address)) for _half in HALVES]
        for half, sent in zip(halves, HALVES, strict=True):
            half.sendall(sent)
        assert settled(running, 3)
        time.sleep(0.2)
        begun = time.time()
        for later in range(server.DAWDLE + 2):  # seconds, in each of which a byte came
            for channel in running.active_channels.values():
                channel.last_activity = begun + later
            running.maintenance(begun + later)
        closing = {
            channel.request is None: channel.will_close
            for channel in running.active_channels.values()
        }
        assert closing == {True: False, False: True}, (
            "requests that do not come whole; a line that waits for its next one is kept"
        )
        running.pull_trigger()
        assert settled(running, 1) and answers(address)
        running.maintenance(begun + 2 * server.DAWDLE + 2)
        running.pull_trigger()
        assert settled(running, 0), "and let go as well when it stays silent"


def test_a_large_file_over_a_slow_line_has_the_time_it_needs(app, school):
    with served(app) as (address, running), socket.create_connection(address) as line:
        line.sendall(
            b"POST /incident/new/ HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 1_000_000
        )
        assert settled(running, 1)
        (channel,) = running.active_channels.values()
        while channel.request is None or channel.request.body_bytes_received < 1_000_000:
            time.sleep(0.01)
        begun = time.time()
        for later, closed in ((0, False), (100, False), (server.DAWDLE + 102, True)):
            channel.last_activity = begun + later
            running.maintenance(begun + later)
            assert channel.will_close is closed, f"a megabyte in {later} seconds"


def test_a_port_in_use_is_said_to_be(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("PORT", str(taken.getsockname()[1]))
        with pytest.raises(click.ClickException, match="is used by another program"):
            server.listen("127.0.0.1")
    with pytest.raises(click.ClickException, match="cannot be used"):
        server.listen("192.0.2.1")


def test_there_are_never_more_connections_than_the_process_can_hold(monkeypatch):
    import resource

    given = []
    for limits, expected in (
        ((1024, 524_288), 800),
        ((256, 256), 64),
        ((8192, resource.RLIM_INFINITY), 800),
    ):
        monkeypatch.setattr(resource, "getrlimit", lambda _kind, limits=limits: limits)
        monkeypatch.setattr(resource, "setrlimit", lambda _kind, limits: given.append(limits))
        assert server.most() == expected
    assert given == [(3200, 524_288), (256, 256)]


def test_what_serves_keeps_a_connection_open_for_a_day_when_the_disk_is_full(
    app, school, monkeypatch
):
    """Without one, SQLite makes two files for the next, and a full disk has no room for them (see
    tests/test_looks.py).
    """
    seen = []
    monkeypatch.setattr(
        server, "make", lambda *_args: SimpleNamespace(run=lambda: seen.append(not db.is_closed()))
    )
    monkeypatch.setattr(application, "deliver_for_ever", lambda _app: None)
    db.close()
    before = threading.active_count()
    application.serve(app, None)
    assert seen == [True] and db.is_closed()
    assert threading.active_count() == before, "nothing goes on in the schools of other tests"
    db.connect()
