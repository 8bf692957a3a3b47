"""What listens: one port, taken before anything else is done, and connections that dawdle are let
go.
"""

import errno
import os
import socket

import click
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from models.ground.settings import settings

CONNECTIONS = 800  # open at once; each costs a file descriptor, or three with a large upload
# seconds that a connection may be silent, and a request may take to come, besides a second for each
# SLOW bytes
DAWDLE = 20
SLOW = 10_000


class Server(TcpWSGIServer):
    """waitress, which by itself lets go of a connection only when it is silent: a byte now and then
    would hold it for ever.
    """

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
        threads=8,
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
