"""The doctor asks a service over HTTP as PowerDNS would: with its secret, through a proxy; and another program."""

from __future__ import annotations

import http.server
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pipebackend.diagnosis.doctor import examination
from tests.live.overhttp import FORMS, HttpService
from tests.live.servers import HOST, PATIENCE, ServerFailed, free_port, listens, program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipebackend.diagnosis.doctor.findings import Finding

pytestmark = pytest.mark.live

SECRET = "0123456789abcdef"
PROXY = """\
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {host}:{port};
        location /dns {{ proxy_pass http://{host}:{service}/dns; }}
    }}
}}
"""


def found(folder: Path, url: str, form: str) -> list[Finding]:
    """What the checks of HTTP find."""
    settings = f"launch=remote\nremote-connection-string=http:url={url},timeout=20000{FORMS[form]}\n"
    (folder / "pdns.conf").write_text(settings)
    report = examination.examine(examination.gather(str(folder), "", ""))
    return [each for each in report.findings if each.code.startswith("http-") and each.code != "http-post-json"]


@pytest.mark.parametrize("form", FORMS)
def test_a_service_that_wants_a_secret(tmp_path: Path, form: str) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    with HttpService(tmp_path, None, "--secret", str(tmp_path / "secret")) as service:
        [finding] = found(tmp_path, service.url, form)
        assert finding.code == "http-status"
        assert "403" in finding.message and "secret" in finding.message
        assert found(tmp_path, f"{service.url}/{SECRET}", form) == []


def test_another_program(tmp_path: Path) -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer((HOST, 0), Other) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        [finding] = found(tmp_path, f"http://{HOST}:{other.server_port}", "post_json")
        other.shutdown()
        thread.join()
    assert finding.code == "http-answer"
    with HttpService(tmp_path) as service:
        assert found(tmp_path, service.url, "post_json") == []


@contextmanager
def nginx(folder: Path, service: int) -> Iterator[int]:
    """As a proxy of HTTP that hands on paths in its own spelling: its port."""
    port = free_port()
    (folder / "proxy.conf").write_text(PROXY.format(folder=folder, host=HOST, port=port, service=service))
    words = [program("nginx"), "-e", "stderr", "-p", str(folder), "-c", str(folder / "proxy.conf"), "-g", "daemon off;"]
    process = subprocess.Popen(words)
    try:
        deadline = time.monotonic() + PATIENCE
        while not listens(port):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_a_proxy_that_decodes_paths(tmp_path: Path) -> None:
    try:
        program("nginx")
    except ServerFailed as exc:
        pytest.skip(str(exc))
    with HttpService(tmp_path) as service, nginx(tmp_path, service.port) as port:
        [finding] = found(tmp_path, f"http://{HOST}:{port}/dns", "rest")
        assert finding.code == "http-proxy"
        _, _, write = finding.write.partition("http:url=")
        assert write.endswith("post=1,post_json=1")
        assert found(tmp_path, f"http://{HOST}:{port}/dns", "post_json") == []
