"""The three forms in which PowerDNS's http connector asks, told apart by the request: each becomes a line of JSON.

POST /dns                       the line itself (post=1,post_json=1)
POST /dns/lookup                parameters={"qname": …   (post=1)
GET /dns/lookup/NAME/TYPE       REST, see ``rest``
"""

from __future__ import annotations

import hmac
import os
import stat
from typing import TYPE_CHECKING

from pipebackend.base.errors import ConfigFault
from pipebackend.dnsdata.records import Client
from pipebackend.server.httpwire import Refusal
from remoteshim import plainlookup, rest
from remoteshim.jsonline import dumps
from remoteshim.plainlookup import Asked

if TYPE_CHECKING:
    from pipebackend.server.httpwire import Request

__all__ = ["Forms", "read_secret"]

_LEAST_SECRET = 16  # characters
_SECRET_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
# A page could have a browser write here, or, if its name became an address of this machine, read keys: such a request
# has no Origin, but always an Accept-Language
_OF_BROWSERS = frozenset((b"origin", b"accept-language"))
_START = b'"startTransaction"'


class Forms:
    """What a service makes of requests; ``path`` is where it is, ``secret`` what each must show, if not empty."""

    def __init__(self, path: str = "", secret: str = "") -> None:
        self._path = path
        self._secret = secret.encode("ascii")

    def line(self, request: Request) -> bytes:
        """One line for ``RemoteSession``; raises Refusal."""
        if not _OF_BROWSERS.isdisjoint(request.headers):
            raise Refusal(403, "browsers are not served")
        path, _, query = self._below(request).partition("?")
        if path in ("", "/"):
            line = _of_json(request)
        else:
            method = rest.method_of(path[1:])
            line = _of_method(method, path[1 + len(method) :], query, request)
        if _START in line:
            _demand_own_connection(request)
        return line

    def _below(self, request: Request) -> str:
        """The target without the path of the service, and without the secret."""
        target = request.target.decode("latin-1")
        if target.startswith("http://"):  # as proxies are asked (RFC 9112 section 3.2.2)
            target = "/" + target.partition("//")[2].partition("/")[2]
        if not target.isascii() or not target.startswith(self._path):
            raise Refusal(400, "not the path of --listen")
        rest_of_it = target[len(self._path) :]
        if self._secret:
            rest_of_it = self._without_secret(rest_of_it, request.headers.get(b"authorization", b""))
        if rest_of_it[:1] not in ("", "/", "?"):
            raise Refusal(400, "not the path of --listen")
        return rest_of_it

    def _without_secret(self, target: str, header: bytes) -> str:
        """Refusal if the secret is in neither place; how long the comparison takes tells nothing."""
        in_header = hmac.compare_digest(header, b"Bearer " + self._secret)
        part, slash, below = target[1:].partition("/")
        in_path = hmac.compare_digest(part.encode("ascii"), self._secret)
        if not in_header and not in_path:
            raise Refusal(403, "the secret of --secret is missing, or another one")
        return slash + below if in_path else target


def read_secret(path: str) -> str:
    """The secret in a file; ConfigFault if it is none, or if everybody can read it."""
    try:
        with open(path, encoding="ascii") as file:
            mode, secret = os.fstat(file.fileno()).st_mode, file.read(4096).strip()
    except UnicodeDecodeError:
        secret, mode = "", 0
    except OSError as exc:
        raise ConfigFault([f"--secret {path}: {exc.strerror}"]) from exc
    if mode & stat.S_IROTH:
        raise ConfigFault([f"--secret {path}: every user can read it; chmod o-r {path}"])
    if len(secret) < _LEAST_SECRET or not _SECRET_SIGNS.issuperset(secret):
        raise ConfigFault(
            [
                f"--secret {path}: a secret has {_LEAST_SECRET} or more letters, digits and -._~, as from: "
                f"openssl rand -hex 16 >{path}"
            ]
        )
    return secret


def _of_json(request: Request) -> bytes:
    if request.verb != b"POST":
        raise Refusal(405, "POST asks in JSON; REST has a method in its path", "POST")
    body = request.body
    if b"\n" in body or b"\r" in body:  # a person's; white space in JSON, and a line in a trace
        body = body.replace(b"\r", b" ").replace(b"\n", b" ")
    return body


def _of_method(method: str, path: str, query: str, request: Request) -> bytes:
    verb = request.verb.decode("ascii")
    body = request.body.decode("latin-1")
    if verb == "POST" and body.startswith("parameters="):
        given = dict(rest.form(_ascii(body)))["parameters"]
        return f'{{"method": "{method}", "parameters": {given}}}'.encode("utf-8", "surrogateescape").replace(
            b"\n", b" "
        )
    allowed = rest.METHODS[method][0]
    if verb != allowed:
        verbs = ", ".join(dict.fromkeys((allowed, "POST")))
        raise Refusal(405, f"{method} is asked by {allowed}, or by POST with parameters=", verbs)
    found = rest.parameters(method, path, query, request.headers, _ascii(body))
    if method == "lookup":
        client = Client(found["remote"], found["local"], found["real-remote"])
        return plainlookup.written(Asked(found["qname"], found["qtype"], client, found["zone-id"]))
    return f'{{"method": "{method}", "parameters": {dumps(found)}}}'.encode("ascii")


def _ascii(body: str) -> str:
    if not body.isascii():
        raise Refusal(400, "a form has ASCII alone (percent-encoding for the rest)")
    return body


def _demand_own_connection(request: Request) -> None:
    """A transaction is bound to its connection, so one that ends, or that clients share, cannot have any.

    PowerDNS sends this header, and a proxy of HTTP removes it (RFC 9110 section 7.6.1).
    """
    words = request.headers.get(b"connection", b"").lower().replace(b",", b" ").split()
    if b"keep-alive" not in words:
        raise Refusal(
            409,
            "a transaction needs a connection of its own from PowerDNS to here; this one came without Connection: "
            "Keep-Alive, which PowerDNS sends and HTTP proxies remove: let the proxy forward TCP (docs/http.md)",
        )
