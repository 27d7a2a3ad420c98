"""Whose certificates are believed on encrypted connections."""

import ssl
from functools import cache


@cache
def tls_context(authorities: str | None, *, verify: bool) -> ssl.SSLContext:
    """Return the context of a client, made once: reading the machine's authorities takes a while.

    `authorities` are certificates (PEM) that are believed in place of the machine's own.

    Raises:
        ssl.SSLError: `authorities` holds no certificate.
    """
    context = ssl.create_default_context(cadata=authorities)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
