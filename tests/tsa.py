"""A time stamping authority (RFC 3161) of the tests' own, with a certificate of its own making and
a will of its own.
"""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.tsp import TimeStampReq
from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper


@lru_cache(maxsize=1)
def identity():
    """(certificate, key) of the authority: self-made, and good for nothing but time stamps."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Thornley Time")])
    begins = datetime.now(UTC) - timedelta(days=1)
    made = x509.CertificateBuilder(
        name,
        name,
        key.public_key(),
        x509.random_serial_number(),
        begins,
        begins + timedelta(days=9000),
    )
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    made = made.add_extension(x509.BasicConstraints(False, None), critical=True).add_extension(
        usage, critical=True
    )
    return made.sign(key, hashes.SHA256()), key


@contextmanager
def authority():
    """The authority, at `url`; `moods` says what each of the next requests gets: ok, busy, moved,
    garbage, liar, slow. `asked` counts them.
    """
    certificate, key = identity()
    stamper = DummyTimeStamper(
        Certificate.load(certificate.public_bytes(Encoding.DER)),
        PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
    )

    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            owner = self.server
            owner.asked += 1
            mood = owner.moods.pop(0) if owner.moods else owner.mood
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            request = TimeStampReq.load(sent)
            if mood == "slow":
                time.sleep(0.5)
            if mood == "liar":
                request["message_imprint"]["hashed_message"] = bytes(32)
            body = b"no" if mood == "garbage" else stamper.request_tsa_response(request).dump()
            self.send_response({"busy": 503, "moved": 307}.get(mood, 200))
            if mood == "moved":
                self.send_header("Location", owner.url)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.moods, server.mood, server.asked, server.url = (
        [],
        "ok",
        0,
        f"http://127.0.0.1:{server.server_port}/",
    )
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
