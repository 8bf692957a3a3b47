"""The installation's own certificate: what it signs can be told from a forgery by anybody, in any
PDF reader, without this system.
"""

import asyncio
import hashlib
import io
import logging
from base64 import b64decode, b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from models.ground.settings import settings

FILE = "signing.pem"
YEARS = 80  # a record about a child may be kept for 75
TIMEOUT = 10  # seconds that a time stamping authority has for one answer
ECDSA = ec.ECDSA(hashes.SHA256())
log = logging.getLogger("safeguarding")


def make() -> bytes:
    """A new P-256 key with a certificate of its own making, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, settings.school[:40]),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Safeguarding Tracker"),
        ]
    )
    begins = datetime.now(UTC) - timedelta(days=1)
    usage = x509.KeyUsage(True, True, *[False] * 7)  # signs, and stands for what was signed
    certificate = (
        x509.CertificateBuilder(
            name,
            name,
            key.public_key(),
            x509.random_serial_number(),
            begins,
            begins + timedelta(days=365.25 * YEARS),
        )
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ) + certificate.public_bytes(Encoding.PEM)


def certificate() -> x509.Certificate:
    """The installation's certificate, made with its key at first use."""
    return x509.load_pem_x509_certificate(settings.secret(FILE, make))


def key():
    return load_pem_private_key(settings.secret(FILE, make), None)


def fingerprint() -> str:
    """The SHA-256 of the certificate, by which a court knows it again."""
    return certificate().fingerprint(hashes.SHA256()).hex()


def vouch(line: str) -> str:
    """The installation's signature of one line of text: ECDSA with SHA-256, DER, as base64."""
    return b64encode(key().sign(line.encode(), ECDSA)).decode()


def vouched(line: str, signature: str) -> bool:
    """Whether `signature`, as vouch() gives it, is this installation's, of this line."""
    try:
        ours: Any = certificate().public_key()  # ECDSA, as make() makes it
        ours.verify(b64decode(signature), line.encode(), ECDSA)
    except (InvalidSignature, ValueError):
        return False
    return True


def apart(function: Callable, *args: Any) -> Any:
    """Call in a thread of its own: pyHanko starts an event loop, which a thread that runs one
    already does not allow.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function, *args).result()


def nobody() -> Any:
    """Trust in no certificate: whose a signature is we see ourselves, and who an authority is, a
    reader.
    """
    from pyhanko_certvalidator import ValidationContext

    logging.getLogger("pyhanko").setLevel(
        logging.CRITICAL
    )  # it tells at length that nobody vouches for us
    return ValidationContext(trust_roots=[])


def authority() -> Any:
    """The time stamping authority of the settings (RFC 3161), or None.

    It leads us to no other address, as it could with pyHanko's own client.
    """
    from aiohttp import ClientSession, ClientTimeout
    from asn1crypto.tsp import TimeStampResp
    from pyhanko.sign.timestamps.api import TimeStamper
    from pyhanko.sign.timestamps.common_utils import set_tsp_headers

    class Authority(TimeStamper):
        async def async_request_tsa_response(self, req):
            async with ClientSession(timeout=ClientTimeout(total=TIMEOUT)) as session:
                sent = {
                    "data": req.dump(),
                    "headers": set_tsp_headers({}),
                    "allow_redirects": False,
                }
                async with session.post(settings.timestamp_url, **sent) as answer:
                    if answer.status != 200:
                        raise OSError(f"it answered {answer.status}")
                    return TimeStampResp.load(await answer.read())

    return Authority() if settings.timestamp_url else None


def stamp(line: str) -> str | None:
    """A time stamp token (base64) of one line of text; None without an authority, or a good answer.

    Waits for the network, so never within a transaction.
    """
    try:
        if asked := authority():
            digest = sha256(line.encode()).digest()
            token = apart(lambda: asyncio.run(asked.async_timestamp(digest, "sha256"))).dump()
            if stamped(token, line):
                return b64encode(token).decode()
            log.error("the time stamping authority stamped something else")
    except Exception as problem:  # whatever an authority answers, the day goes on
        log.error("no time stamp: %s", type(problem).__name__)
    return None


def stamped(token: bytes, line: str) -> tuple[datetime, str] | None:
    """(when, by whom) the token (bytes) was given for this line; None: broken, or of something
    else.
    """
    from asn1crypto.cms import ContentInfo
    from pyhanko.sign.validation.generic_cms import validate_tst_signed_data

    def imprint(name):
        return hashlib.new(name, line.encode()).digest()

    def judge():
        signed = ContentInfo.load(token)["content"]
        return asyncio.run(validate_tst_signed_data(signed, nobody(), imprint))

    try:
        found = apart(judge)
    except broken():
        return None
    whole = found["intact"] and found["valid"]
    return (found["timestamp"], named(found["signing_cert"])) if whole else None


def named(cert):
    return cert.subject.native.get("common_name") or cert.subject.human_friendly


def sign(pdf: bytes, reason: str, asked: Any = None) -> bytes:
    """`pdf` (bytes) with the installation's signature over all of it; `asked`: the authority to
    stamp it.

    Raises what comes of an authority that is down, slow or wrong.
    """
    from asn1crypto.keys import PrivateKeyInfo
    from asn1crypto.x509 import Certificate
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    signer = signers.SimpleSigner(
        signing_cert=Certificate.load(certificate().public_bytes(Encoding.DER)),
        signing_key=PrivateKeyInfo.load(
            key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        ),
        cert_registry=SimpleCertificateStore(),
    )
    about = signers.PdfSignatureMetadata(
        field_name="Signature", reason=reason, name=settings.school, md_algorithm="sha256"
    )
    return apart(
        signers.sign_pdf, IncrementalPdfFileWriter(io.BytesIO(pdf)), about, signer, asked
    ).getvalue()


def seal(pdf: bytes, reason: str) -> tuple[bytes, bool]:
    """(`pdf` with the installation's signature, whether a time stamp is in it).

    An authority that is down, slow or wrong keeps no copy from being kept: it is kept without.
    """
    try:
        if asked := authority():
            signed = sign(pdf, reason, asked)
            if stamp_of(signed):
                return signed, True
            log.error("the time stamping authority stamped something else")
    except Exception as problem:
        log.error("no time stamp in a kept copy: %s", type(problem).__name__)
    return sign(pdf, reason), False


def broken() -> tuple[type[Exception], ...]:
    """What pyHanko raises of a file or a token that is broken in any way."""
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.sign.validation.errors import SignatureValidationError

    return (
        PdfError,
        SignatureValidationError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
    )


def judged(pdf: bytes) -> tuple[str, Any]:
    """(what the signature of `pdf` says, as check() does; pyHanko's status of it, or None)."""
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    try:
        signatures = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
        if not signatures:
            return "none", None
        status = apart(validate_pdf_signature, signatures[-1], nobody())
    except broken():
        return ("changed" if b"/ByteRange" in pdf else "none"), None
    whole = status.intact and status.valid and status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    given = status.timestamp_validity
    if not whole or (given and not (given.intact and given.valid)):
        return "changed", None
    ours = certificate().public_bytes(Encoding.DER)
    return ("whole" if status.signing_cert.dump() == ours else "foreign"), status


def check(pdf: bytes) -> str:
    """What the signature of `pdf` (bytes) says: "whole", "changed" (after signing), "foreign"
    (another's), or "none".
    """
    return judged(pdf)[0]


def stamp_of(pdf: bytes) -> tuple[datetime, str] | None:
    """(when, by whom) the signature of `pdf` (bytes) was stamped; None: not at all, or a broken
    file.
    """
    _said, status = judged(pdf)
    found = status and status.timestamp_validity
    return (found.timestamp, named(found.signing_cert)) if found else None
