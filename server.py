"""What listens: one port, taken before anything else is done, by several processes; connections
that dawdle are let go.
"""

import errno
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress

import click
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask

from models.ground.record import without_words
from models.ground.settings import settings

CONNECTIONS = 800  # open at once; each costs a file descriptor, or three with a large upload
# seconds that a connection may be silent, and a request may take to come, besides a second for each
# SLOW bytes
DAWDLE = 20
SLOW = 10_000
PATIENCE = 10  # seconds that a process has to come to its end
ENDS = {signal.SIGTERM, signal.SIGINT}
log = logging.getLogger("safeguarding")


class OneAnswer(WSGITask):
    """An answer that ends its connection: the next one goes to whichever process is idle, where
    many would stay with the process that happened to take them.
    """

    def build_response_header(self):
        self.request.headers["CONNECTION"] = "close"
        return super().build_response_header()


class Channel(HTTPChannel):
    task_class = OneAnswer


class Server(TcpWSGIServer):
    """waitress, which by itself lets go of a connection only when it is silent: a byte now and then
    would hold it for ever.
    """

    channel_class = Channel

    def maintenance(self, now):
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            request = channel.request  # one that has not come whole
            if request is None or getattr(channel, "coming", None) is not request:
                channel.coming, channel.since = request, now
            elif (
                now - channel.since
                > DAWDLE + (request.header_bytes_received + request.body_bytes_received) / SLOW  # type: ignore[union-attr]
            ):
                channel.will_close = True


def listen(host):
    """Take the port, so that a second program is told at once. Raises a ClickException, a sentence,
    when it cannot be had.
    """
    port = int(os.environ.get("PORT") or "5000")
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024
        )
    except OSError as problem:
        used = problem.errno == errno.EADDRINUSE
        why = (
            "is used by another program, perhaps by this one, started before"
            if used
            else f"cannot be used: {problem.strerror or problem}"
        )
        raise click.ClickException(f"Port {port} {why}. Choose another, as in PORT=5001.") from None


def most():
    """How many connections may be open at once; the process is given as many file descriptors as it
    may have.
    """
    try:
        import resource
    except ImportError:  # Windows, whose select() takes 512
        return 400
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS * 4
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS if soft == resource.RLIM_INFINITY else min(CONNECTIONS, soft // 4)


def make(app, listener):
    """The server of `app` on a socket that listens; its run() serves until it is interrupted."""
    adjustments = Adjustments(
        sockets=[listener],
        threads=8 if processes() == 1 else 4,  # for each costs memory, and they share one core
        ident="",
        connection_limit=most(),
        channel_timeout=DAWDLE,
        cleanup_interval=5,
        asyncore_use_poll=os.name != "nt",
        clear_untrusted_proxy_headers=settings.proxies == 0,
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"],
    )
    place = (listener.family, listener.type, listener.proto, listener.getsockname())
    return Server(app, {}, True, listener, adj=adjustments, sockinfo=place, bind_socket=False)


def processes() -> int:
    """How many processes answer: what is set, else two where there are two cores. One where there
    is no fork.
    """
    if not hasattr(os, "fork"):
        return 1
    return max(1, settings.processes or min(2, os.cpu_count() or 1))


def side_by_side(works):
    """Run each of `works` (functions) in a process of its own, forked from this one, until this one
    is told to end; whichever dies is started again. Nothing may be open yet, nor a thread run.

    They end with this process however it ends: they hold a pipe that closes with it.
    """
    running, (alive, held) = {}, os.pipe()
    gc.freeze()  # what there is now stays shared between them
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for work in works:
            running[fork(work, alive, held)] = work, time.monotonic()
        while True:
            pid, status = os.wait()
            work, since = running.pop(pid)
            if status:
                log.error("a process died (%s) and is started again", status)
            if time.monotonic() - since < 1:  # not in a circle without a pause
                time.sleep(1)
            running[fork(work, alive, held)] = work, time.monotonic()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        for ending in ENDS:
            signal.signal(ending, signal.SIG_IGN)
        end(running)


def fork(work, alive, held):
    """Begin `work` in a process of its own; returns its number. `alive`, `held`: the pipe."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)  # until the new one has its own ways to end
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
        return pid
    try:
        os.close(held)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first one tells us
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        threading.Thread(target=lambda: os.read(alive, 1) or os._exit(1), daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
        work()
        failed = 0
    except SystemExit:
        failed = 0
    except BaseException as problem:
        log.error("a process failed: %s", without_words(problem))
        failed = 1
    logging.shutdown()
    os._exit(failed)


def end(running):
    """Tell every process of `running` to end, and wait; whichever does not is killed."""
    for pid in running:
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while running and time.monotonic() < until:
        for pid in list(running):
            if os.waitpid(pid, os.WNOHANG)[0]:
                del running[pid]
        time.sleep(0.01)
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
