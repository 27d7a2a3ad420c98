import ssl

import pytest

from chaoskit.trust import tls_context


def test_a_context_is_made_once_and_looks_at_certificates_unless_told_not_to() -> None:
    assert tls_context(None, verify=True) is tls_context(None, verify=True)
    strict, blind = tls_context(None, verify=True), tls_context(None, verify=False)
    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (blind.verify_mode, blind.check_hostname) == (ssl.CERT_NONE, False)


def test_what_holds_no_certificate_is_refused() -> None:
    with pytest.raises((ssl.SSLError, ValueError)):
        tls_context("no certificate", verify=True)
