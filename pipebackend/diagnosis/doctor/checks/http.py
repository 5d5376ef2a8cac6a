"""REMOTE over HTTP: what its url and options must be, and whether the service at the other end answers.

The service is asked as PowerDNS would ask it, through all that is between: a proxy may read a path in its own way.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.checks.connections import remotes, replaced
from pipebackend.diagnosis.doctor.checks.timing import with_timeout
from pipebackend.diagnosis.doctor.coprocess import Coprocess
from pipebackend.diagnosis.doctor.findings import Finding, error, warning
from pipebackend.diagnosis.doctor.pdnsconf import Setting

__all__ = ["CHECKS"]

_USUAL = 2000  # milliseconds
_PATIENCE = 2.0  # seconds
_OF_ROOT = {"method": "lookup", "parameters": {"qname": ".", "qtype": "SOA", "zone-id": -1}}
_AN_ANSWER = (200, 404)  # to PowerDNS; it fails on all from 400 on but that one


def forms(case: Case) -> Iterator[Finding]:
    """Without ``post_json`` PowerDNS loses parameters."""
    for coprocess, setting in remotes(case, "http"):
        missing = [key for key in ("post", "post_json") if not _is_on(coprocess, key)]
        if missing:
            kept = ",".join(piece for piece in coprocess.pieces if piece.partition("=")[0] not in missing)
            yield warning(
                "http-post-json",
                setting,
                "http: without post=1,post_json=1 PowerDNS loses parameters, such as which records the API may see",
                f"{setting.name}=http:{kept}," + ",".join(f"{key}=1" for key in missing),
            )


def urls(case: Case) -> Iterator[Finding]:
    for coprocess, setting in remotes(case, "http"):
        url = coprocess.options.get("url", "")
        if url and not url.startswith("http://"):
            right = f"url=http://{url.partition('://')[2]}"
            do = "a proxy adds TLS (docs/http.md): name its address on this machine"
            message = f"url={url}: PowerDNS speaks http:// alone, without TLS"
            yield error("http-url", setting, message, replaced(setting, f"url={url}", right), do)
        elif url.endswith("/") and not _is_json(coprocess):
            message = f"url={url}: PowerDNS puts another slash between it and the method, and the path is another one"
            yield error("http-slash", setting, message, replaced(setting, f"url={url}", f"url={url.rstrip('/')}"))


def timeouts(case: Case) -> Iterator[Finding]:
    """Over HTTP PowerDNS counts in whole seconds."""
    for coprocess, setting in remotes(case, "http"):
        value = coprocess.options.get("timeout", "")
        if value.isascii() and value.isdigit() and int(value) < 1000:
            message = (
                f"timeout {value}: over HTTP PowerDNS waits for whole seconds, here for none, and most questions fail"
            )
            yield error("http-timeout", setting, message, with_timeout(coprocess, _USUAL))


def services(case: Case) -> Iterator[Finding]:
    for coprocess, setting in remotes(case, "http"):
        url = coprocess.options.get("url", "")
        if url.startswith("http://"):
            yield from _service(coprocess, setting, url)


def _service(coprocess: Coprocess, setting: Setting, url: str) -> Iterator[Finding]:
    try:
        status, said = _asked(coprocess, url)
    except (OSError, http.client.HTTPException, ValueError) as exc:
        do = f"start it: remoteshim --listen {url}, or the proxy in front of it"
        message = f"nothing answers at {url}, so every question is SERVFAIL: {exc or type(exc).__name__}"
        yield error("http-service", setting, message, do=do)
        return
    if status == 400 and said.startswith("lookup: the path has"):
        message = f"a proxy between PowerDNS and the service decodes %2e in paths ({url}): names with dots are lost"
        yield error("http-proxy", setting, message, _with_json(coprocess, setting), "or let the proxy forward TCP")
    elif status not in _AN_ANSWER:
        yield error(
            "http-status", setting, f"{url} answers HTTP status {status}, so every question is SERVFAIL: {said}"
        )
    elif not _is_answer(said):
        yield error("http-answer", setting, f"what answers at {url} does not speak REMOTE: {said}")


def _asked(coprocess: Coprocess, url: str) -> tuple[int, str]:
    """What the service says to the question for the SOA of the root, in the form in which PowerDNS asks."""
    parts = urlsplit(url)
    client = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_PATIENCE)
    suffix = coprocess.options.get("url-suffix", "")
    try:
        if _is_json(coprocess):
            client.request("POST", parts.path or "/", json.dumps(_OF_ROOT), {"Content-Type": "text/javascript"})
        elif _is_on(coprocess, "post"):
            form = "parameters=%7b%22qname%22%3a%22%2e%22%2c%22qtype%22%3a%22SOA%22%7d"
            client.request("POST", f"{parts.path}/lookup{suffix}", form)
        else:
            client.request("GET", f"{parts.path}/lookup/%2e/SOA{suffix}")
        answer = client.getresponse()
        return answer.status, answer.read(4096).decode("utf-8", "replace").strip()
    finally:
        client.close()


def _is_answer(said: str) -> bool:
    try:
        return "result" in json.loads(said)
    except (ValueError, TypeError):
        return False


def _with_json(coprocess: Coprocess, setting: Setting) -> str:
    kept = [piece for piece in coprocess.pieces if piece.partition("=")[0] not in ("post", "post_json", "url-suffix")]
    return f"{setting.name}=http:{','.join([*kept, 'post=1', 'post_json=1'])}"


def _is_json(coprocess: Coprocess) -> bool:
    return _is_on(coprocess, "post") and _is_on(coprocess, "post_json")


def _is_on(coprocess: Coprocess, key: str) -> bool:
    """By the words that PowerDNS knows here, which are fewer than for settings."""
    return coprocess.options.get(key) in ("1", "on", "true", "yes")


CHECKS = (forms, urls, timeouts, services)
