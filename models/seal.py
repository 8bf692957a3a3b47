"""The installation's own certificate: what it signs can be told from a forgery by anybody, in any PDF reader, without this system."""

import io
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from .settings import settings

FILE = "signing.pem"
YEARS = 80  # a record about a child may be kept for 75


def make():
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
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begins, begins + timedelta(days=365.25 * YEARS))
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)


def certificate():
    """The installation's certificate, made with its key at first use."""
    return x509.load_pem_x509_certificate(settings.secret(FILE, make))


def apart(function, *args):
    """Call in a thread of its own: pyHanko starts an event loop, which a thread that runs one already does not allow."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function, *args).result()


def sign(pdf, reason):
    """`pdf` (bytes) with the installation's signature over all of it."""
    from asn1crypto.keys import PrivateKeyInfo
    from asn1crypto.x509 import Certificate
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    key = load_pem_private_key(settings.secret(FILE, make), None)
    signer = signers.SimpleSigner(
        signing_cert=Certificate.load(certificate().public_bytes(Encoding.DER)),
        signing_key=PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        cert_registry=SimpleCertificateStore(),
    )
    about = signers.PdfSignatureMetadata(field_name="Signature", reason=reason, name=settings.school, md_algorithm="sha256")
    return apart(signers.sign_pdf, IncrementalPdfFileWriter(io.BytesIO(pdf)), about, signer).getvalue()


def check(pdf):
    """What the signature of `pdf` (bytes) says: "whole", "changed" (after signing), "foreign" (another's), or "none"."""
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.errors import SignatureValidationError
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # it reports at length that nobody vouches for our certificate
    try:
        signatures = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
        if not signatures:
            return "none"
        status = apart(validate_pdf_signature, signatures[-1], ValidationContext(trust_roots=[]))  # whose it is we see below
    except (
        PdfError,
        SignatureValidationError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
    ):  # a file broken in any way is not whole
        return "changed" if b"/ByteRange" in pdf else "none"
    if not (status.intact and status.valid and status.coverage == SignatureCoverageLevel.ENTIRE_FILE):
        return "changed"
    ours = certificate().public_bytes(Encoding.DER)
    return "whole" if status.signing_cert.dump() == ours else "foreign"
