"""A zone whose parent is found by the resolver of the system: port 53 and /etc/resolv.conf of a network of its own.

``unshare --net --mount python -m tests.live.own_network FOLDER`` prints what ``key status`` says of it, as JSON lines.
"""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from tests.live.servers import HOST, PdnsServer, Unbound, installed_command, remote_config

APEX, PARENT = "example.org", "org"
RESOLVER, SECOND, NOBODY = "127.0.0.9", "127.0.0.2", "127.0.0.4"  # addresses of the resolver and the parent's servers
_SIOCSIFFLAGS, _UP_AND_RUNNING = 0x8914, 0x41
CONFIG = f"""\
[[policy]]
name = "csk"
keys = "csk"
propagation_delay = 0
server_cache = 0
publish_safety = 0
retire_safety = 0
parent_ds_ttl = 1
parent_check = "resolver"
[[zone]]
name = "{APEX}"
kind = "file"
file = "zone"
policy = "csk"
"""
ZONE = "$TTL 1\n@ SOA ns1 hostmaster 1 1 1 86400 1\n@ NS ns1\nns1 A 127.0.0.1\n"
PARENT_ZONE = """\
$TTL 1
@ SOA a.ns hostmaster {serial} 1 1 86400 1
@ NS a.ns
@ NS b.ns
a.ns A 127.0.0.1
b.ns A {second}
example NS ns1.example
ns1.example A 127.0.0.1
{ds}
"""


def main(folder: Path) -> None:
    """The steps of a zone that gets its first key: the parent has no DS, has it, and is down at one of its servers."""
    _begin_network(folder)
    ours, above = folder / "ours", folder / "above"
    for place in (ours, above):
        place.mkdir()
    (ours / "pipebackend.toml").write_text(CONFIG)
    (ours / "zone").write_text(ZONE)
    (above / "pipebackend.toml").write_text(f'[[zone]]\nname = "{PARENT}"\nkind = "file"\nfile = "zone"\n')
    _write_parent(above, 1, SECOND, "")
    settings = {**remote_config(above / "pipebackend.toml"), "local-address": f"{HOST}, {SECOND}"}
    resolver = Unbound({PARENT: 53}, folder, options=[f"interface: {RESOLVER}@53"])
    with PdnsServer(settings, folder, 53) as parent, resolver:
        _maintain_until_asked(ours)
        _show(ours)
        _write_parent(above, 2, SECOND, f"example DS {_ds_of(ours)}")
        _until_served(parent, 2)
        _zoneutil(ours, "key", "maintain")
        _show(ours)
        _write_parent(above, 3, NOBODY, "")
        _until_served(parent, 3)
        _zoneutil(ours, "key", "maintain")
        _show(ours)


def _begin_network(folder: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _UP_AND_RUNNING))
    own = folder / "resolv.conf"
    own.write_text(f"nameserver {RESOLVER}\n")
    subprocess.run(["mount", "--bind", str(own), "/etc/resolv.conf"], check=True)


def _write_parent(folder: Path, serial: int, second: str, ds: str) -> None:
    (folder / "new").write_text(PARENT_ZONE.format(serial=serial, second=second, ds=ds))
    (folder / "new").rename(folder / "zone")


def _until_served(parent: PdnsServer, serial: int) -> None:
    while parent.dig(PARENT, "SOA").answer[0][0].serial != serial:
        time.sleep(0.02)


def _zoneutil(folder: Path, *words: str) -> str:
    command = [installed_command("zoneutil"), "--config", str(folder / "pipebackend.toml"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 3), done
    return done.stdout


def _maintain_until_asked(folder: Path) -> None:
    """The DS is asked for once all caches have the key."""
    while not json.loads(_zoneutil(folder, "key", "status", APEX, "--json"))["ds_wanted"]:
        _zoneutil(folder, "key", "maintain")
        time.sleep(0.5)


def _ds_of(folder: Path) -> str:
    return _zoneutil(folder, "key", "ds", APEX).splitlines()[0].split(" DS ", 1)[1]


def _show(folder: Path) -> None:
    print(json.dumps(json.loads(_zoneutil(folder, "key", "status", APEX, "--json"))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
