"""Attack: somebody reaches the key service over the network, or stands in its place, and even holds a caller's token.

Off loopback it speaks TLS only and wants a certificate of the callers' own authority (plugin/commands/key_service.py);
the matcher gives its token to nobody else. Real sockets, certificates made here.
"""

from __future__ import annotations

import sqlite3
import ssl
from contextlib import closing

import pytest

from plugin.encrypted.matcher import Matcher, encrypt_face
from plugin.errors import ServiceError
from tests.fakes.receivers import HttpListener
from tests.plugin.commands.test_key_service import fitting, folder, serving
from tests.plugin.encrypted.parties import face
from tests.stack.certificates import Authority
from vault.he import PublicContext

__all__ = ["folder"]


@pytest.fixture(scope="module")
def callers(folder):
    """Who signs callers' certificates."""
    return Authority(folder, "callers")


@pytest.fixture(scope="module")
def servers(folder):
    """Who signed the service's certificate: another authority, since whoever serves is no caller."""
    return Authority(folder, "servers")


@pytest.fixture(scope="module")
def service(folder, callers, servers):
    served, known = servers.pair("service"), callers.pair("matcher-a")
    tls = ("--tls-cert", served.certificate, "--tls-key", served.key, "--client-ca", callers.certificate)
    health = {"cert": (str(known.certificate), str(known.key)), "verify": str(servers.certificate)}
    with serving(folder, *tls, scheme="https", health=health) as (url, _):
        yield url


@pytest.fixture(scope="module")
def context(folder):
    return PublicContext((folder / "keys" / "public.ckks").read_bytes())


def matches(folder, context, url, *, pair, authority):
    """Ask about Alice as the matcher does, with the right token."""
    alice, again = (encrypt_face(seen, context=context, calibration=fitting(folder)) for seen in (face(1), face(1, 1)))
    matcher = Matcher(
        context=context,
        service_url=url,
        token=(folder / "token").read_text().strip(),
        certificates=(str(pair.certificate), str(pair.key)) if pair else None,
        authority=str(authority) if authority else None,
    )
    return matcher.match(alice, again, record="alice")


def judged(folder):
    with closing(sqlite3.connect(folder / "keys" / "key-service.db")) as log:
        return log.execute("SELECT count(*) FROM audit_entries").fetchone()


def test_a_caller_with_a_certificate_and_a_token_is_answered(folder, context, service, callers, servers):
    before = judged(folder)
    assert matches(folder, context, service, pair=callers.pair("matcher-a"), authority=servers.certificate)
    assert judged(folder) > before


@pytest.fixture(params=["nobody's", "expired", "another authority's", "the server authority's"])
def wrong_pair(request, folder, callers, servers):
    return {
        "nobody's": lambda: None,
        "expired": lambda: callers.pair("late", expired=True),
        "another authority's": lambda: Authority(folder, "anybody").pair("stranger"),
        "the server authority's": lambda: servers.pair("not a caller"),
    }[request.param]()


def test_the_token_alone_is_not_even_heard(folder, context, service, servers, wrong_pair):
    before = judged(folder)
    with pytest.raises(ServiceError, match="key_service_away"):
        matches(folder, context, service, pair=wrong_pair, authority=servers.certificate)
    assert judged(folder) == before


def test_plain_http_is_not_spoken(folder, context, service):
    with pytest.raises(ServiceError, match="key_service_away"):
        matches(folder, context, service.replace("https", "http"), pair=None, authority=None)


@pytest.fixture(params=["another authority", "an expired certificate"])
def impostor(request, folder, servers):
    """Who stands in the service's place, and notes what it hears; and the authority that signed its certificate."""
    authority = Authority(folder, "impostors") if request.param == "another authority" else servers
    pair = authority.pair("impostor", expired=authority is servers)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    with closing(HttpListener(tls=tls)) as listener:
        yield listener, authority


def test_who_stands_in_its_place_gets_no_token_and_no_score(folder, context, callers, servers, impostor):
    listener, authority = impostor
    with pytest.raises(ServiceError, match="TLS does not fit"):
        matches(folder, context, listener.url, pair=callers.pair("matcher-a"), authority=servers.certificate)
    assert listener.seen == []
    if authority is not servers:  # and it would have heard, if it were trusted
        with pytest.raises(ServiceError, match="key_service_away"):
            matches(folder, context, listener.url, pair=None, authority=authority.certificate)
        assert [each["Authorization"].split()[0] for each in listener.seen] == ["Bearer"]
