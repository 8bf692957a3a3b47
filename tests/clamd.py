"""A small clamd for tests: it speaks INSTREAM, and finds EICAR in what it is sent."""

import socket
import struct
import threading
from contextlib import contextmanager

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd:
    """Listens until it is closed. seen: the contents that it was sent, in order. says: what it
    answers to each instead of its finding; hang: whether it takes what it is sent and says nothing.
    """

    def __init__(self, listener):
        self.listener, self.seen, self.says, self.hang = listener, [], None, False
        self.done = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                line, _address = self.listener.accept()
            except OSError:
                return
            with line:
                self.answer(line)

    def answer(self, line):
        reader = line.makefile("rb")
        if reader.read(10) != b"zINSTREAM\0":
            return line.sendall(b"UNKNOWN COMMAND\0")
        content = b""
        while size := struct.unpack("!L", reader.read(4))[0]:
            content += reader.read(size)
        self.seen.append(content)
        if self.hang:
            return self.done.wait(30)
        found = b"Win.Test.EICAR_HDB-1 FOUND" if EICAR in content else b"OK"
        return line.sendall(b"stream: " + (self.says or found) + b"\0")

    def close(self):
        self.done.set()
        self.listener.shutdown(socket.SHUT_RDWR)  # or one more is taken
        self.listener.close()


@contextmanager
def clamd(path=None):
    """A clamd that listens at a free port, or at the `path` of a socket: (it, its address)."""
    if path:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen()
        address = str(path)
    else:
        listener = socket.create_server(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    running = Clamd(listener)
    try:
        yield running, address
    finally:
        running.close()
