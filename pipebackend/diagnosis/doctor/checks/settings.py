"""Names and values of settings: what this server does not know, or takes for something else."""

from __future__ import annotations

import difflib
import ipaddress
import re
import secrets
from collections.abc import Callable, Iterator, Sequence

from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.findings import DELETE, Finding, error, warning
from pipebackend.diagnosis.doctor.pdnsconf import Launched, Setting
from pipebackend.diagnosis.doctor.releases import ADDED_TO, CAME_WITH, RENAMED, WENT, other_name

__all__ = ["CHECKS"]

_CLOSE = 0.75  # of difflib: one or two letters of a word
# Without a server to ask: the settings that these checks know by name
_OURS = {
    "pipe": ("abi-version", "command", "regex", "timeout"),
    "remote": ("connection-string", "dnssec"),
}
_SWITCHES = ("yes", "no", "on", "off")
_OTHER_WORDS = {"enable-lua-records": ("shared",)}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LEAST = {"distributor-threads": 1, "receiver-threads": 1}
_MOST = {"local-port": 65535, "webserver-port": 65535}
_NETWORKS = (
    "allow-axfr-ips",
    "allow-dnsupdate-from",
    "allow-notify-from",
    "only-notify",
    "proxy-protocol-from",
    "tcp-control-range",
    "trusted-notification-proxy",
    "webserver-allow-from",
)
_ADDRESSES = (
    "also-notify",
    "carbon-server",
    "forward-notify",
    "local-address",
    "query-local-address",
    "resolver",
    "tcp-control-address",
    "webserver-address",
)
_ALGORITHMS = (
    "rsasha1", "rsasha1-nsec3-sha1", "rsasha256", "rsasha512", "ecc-gost", "gost", "ecdsa256", "ecdsa384",
    "ecdsap256sha256", "ecdsap384sha384", "ed25519", "ed448", *map(str, range(1, 17)),
)  # fmt: skip
_WITH_SIZE = ("rsasha1", "rsasha1-nsec3-sha1", "rsasha256", "rsasha512", "5", "7", "8", "10")
_LOG_LEVELS = ("none", "normal", "detailed")
_COOKIE_OCTETS = 16
_SEPARATORS = re.compile(r"[ ,;\t]+")


def unknown(case: Case) -> Iterator[Finding]:
    """Only what a server says is unknown is sure to be; without one a near miss, or what newer ones have renamed."""
    known = _known(case)
    ignored = _SEPARATORS.split(case.conf.value("ignore-unknown-settings"))
    for line in case.conf.lines:
        if line.name in known:
            continue
        found = _unknown(case, line, known)
        if found is not None and line.name in ignored:
            message = f"PowerDNS does not know {line.name!r} and takes no notice of the line"
            if line.name in RENAMED:
                yield warning("ignored-setting", line, f"{message}: it is {RENAMED[line.name]} now", found.write)
        elif found is not None:
            yield found


def _known(case: Case) -> frozenset[str]:
    meant = [Launched(launched.module.lower(), launched.suffix) for launched in case.conf.launched]  # Remote is remote
    ours = {launched.setting(key) for launched in meant for key in _OURS.get(launched.module, ())}
    always = ("launch", "include-dir", "setuid", "zone-cache-refresh-interval", "config-dir", "config-name")
    return frozenset((*ours, *case.server.defaults, *always))


def _unknown(case: Case, line: Setting, known: frozenset[str]) -> Finding | None:
    server = f"PowerDNS {case.server.release}".strip()
    stops = f"{server} has no setting {line.name!r} and will not start"
    if case.server.path:
        name = other_name(line.name, known)
        if name:
            renamed = f"{stops}: it is called {name}"
            is_set = name in case.conf.settings
            return error("renamed", line, renamed, "" if is_set else f"{name}={line.value}", DELETE if is_set else "")
        if line.name in ADDED_TO:
            name = ADDED_TO[line.name]
            before = case.conf.value(name) or case.server.defaults.get(name, "")
            return error("removed", line, f"{stops}: {name} takes such addresses", f"{name}={before}, {line.value}")
        if line.name in WENT:
            return error("removed", line, f"{stops}: {WENT[line.name]}", do=DELETE)
        if line.name in CAME_WITH:
            return error("too-new", line, f"{stops}: it came with PowerDNS {CAME_WITH[line.name]}", do=DELETE)
    close = difflib.get_close_matches(line.name, known, 1, _CLOSE)
    if close:
        return error("unknown-setting", line, stops, f"{close[0]}={line.value}")
    other = _of_another_backend(case, line)
    if other or (case.server.path and not case.server.not_loaded):
        return error("unknown-setting", line, stops, other, DELETE)
    return None


def _of_another_backend(case: Case, line: Setting) -> str:
    """The line with the suffix of the backend that is launched, as ``remote-one-dnssec``."""
    for module, keys in _OURS.items():
        for launched in case.conf.launched:
            if launched.module == module and line.name in {f"{module}-{key}" for key in keys}:
                return f"{launched.setting(line.name.removeprefix(f'{module}-'))}={line.value}"
    return ""


def old_names(case: Case) -> Iterator[Finding]:
    """Settings that this server still takes by a name that newer ones do not know."""
    for line in case.conf.lines:
        new = RENAMED.get(line.name, "")
        if line.name in case.server.defaults and new in case.server.defaults:
            is_set = new in case.conf.settings
            yield warning(
                "old-name",
                line,
                f"{line.name} is called {new} since PowerDNS 4.5, and later releases do not start with the old name",
                "" if is_set else f"{new}={line.value}",
                DELETE if is_set else "",
            )


def _set(case: Case) -> Iterator[tuple[Setting, str]]:
    """The lines in force, each with the default of its setting."""
    for name, setting in case.conf.settings.items():
        default = case.server.defaults.get(name)
        if default is not None and setting.value:
            yield setting, default


def switches(case: Case) -> Iterator[Finding]:
    """Settings that are yes or no by default."""
    ours = [launched.setting(key) for launched in case.conf.launched for key in ("dnssec", "hybrid")]
    found = {setting.name: setting for setting, default in _set(case) if default in _SWITCHES}
    found |= {name: case.conf.settings[name] for name in ours if name in case.conf.settings}
    for name, setting in found.items():
        words = (*_SWITCHES, *_OTHER_WORDS.get(name, ()))
        if setting.value in words:
            continue
        meant = "no" if setting.value.lower() in ("no", "off", "false", "0") else "yes"
        yield warning(
            "switch",
            setting,
            f"{name}={setting.value} means yes: to PowerDNS all but no and off is yes",
            f"{name}={meant}",
            f"one of {', '.join(words)}" if name in _OTHER_WORDS else "",
        )


def numbers(case: Case) -> Iterator[Finding]:
    """PowerDNS reads the digits that a value begins with."""
    for setting, default in _set(case):
        if not default.isdigit() or (setting.name.endswith("-timeout") and setting.name.startswith("pipe-")):
            continue
        name, value = setting.name, setting.value
        digits = re.match(r"-?\d+", value)
        if digits is None:
            message = f"{name}={value} is not a number: PowerDNS ends when it reads the setting"
            yield error("number", setting, message, f"{name}={default}")
        elif digits[0] != value and name != "socket-mode":
            factor = _SECONDS.get(value[digits.end() :].strip().lower(), 1)
            message = f"{name}={value} means {digits[0]} to PowerDNS, which knows no units"
            yield error("number", setting, message, f"{name}={int(digits[0]) * factor}")
        elif int(value) < _LEAST.get(name, int(value)):
            yield error("number", setting, f"{name}={value}: PowerDNS does not answer without one", f"{name}={default}")
        elif int(value) > _MOST.get(name, int(value)):
            yield error("number", setting, f"{name}={value}: the greatest port is {_MOST[name]}", f"{name}={default}")


def networks(case: Case) -> Iterator[Finding]:
    yield from _lists(case, _NETWORKS, _good_network, _fixed_network, "network")


def addresses(case: Case) -> Iterator[Finding]:
    yield from _lists(case, _ADDRESSES, _good_address, lambda word: "", "address")


def _lists(
    case: Case,
    names: Sequence[str],
    is_good: Callable[[str], bool],
    fixed: Callable[[str], str],
    what: str,
) -> Iterator[Finding]:
    for name in names:
        setting = case.conf.settings.get(name)
        words = [word for word in _SEPARATORS.split(setting.value) if word] if setting else []
        wrong = [word for word in words if not is_good(word)]
        if setting is None or not wrong or (name == "resolver" and setting.value == "no"):
            continue
        good = [word if is_good(word) else fixed(word) for word in words]
        value = ",".join(word for word in good if word) or case.server.defaults.get(name, "")
        message = f"{name} has {wrong[0]}, which is not an IP {what}; "
        message += "PowerDNS takes it for the one address" if fixed(wrong[0]) else "PowerDNS ends when it reads it"
        do = f"write the {what} that is meant; PowerDNS asks no name server for it"
        yield error(what, setting, message, f"{name}={value}", do)


def _good_network(word: str) -> bool:
    try:
        ipaddress.ip_network(word.removeprefix("!"), strict=False)
    except ValueError:
        return False
    return True


def _fixed_network(word: str) -> str:
    """The address alone, where only the length is wrong."""
    address = word.partition("/")[0]
    return address if _good_network(address) else ""


def _good_address(word: str) -> bool:
    """With a port, or not: ``192.0.2.1:53``, ``[2001:db8::1]:53``; carbon's may name its interval and so on."""
    host = re.sub(r"^\[(.*)\](:\d+)?$", r"\1", word)
    if host.count(":") == 1 and "." in host:
        host = host.partition(":")[0]
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def algorithms(case: Case) -> Iterator[Finding]:
    for role in ("ksk", "zsk"):
        name, size = f"default-{role}-algorithm", f"default-{role}-size"
        value = case.conf.value(name).lower()
        if value and value not in _ALGORITHMS:
            close = difflib.get_close_matches(value, _ALGORITHMS, 1, _CLOSE)
            message = f"{name}={value}: PowerDNS does not know this algorithm, and will not start"
            meant = close[0] if close and close[0] not in _WITH_SIZE else case.server.defaults.get(name, "")
            yield error("algorithm", case.place(name), message, f"{name}={meant}")
        elif value in _WITH_SIZE and case.conf.number(size, 0) == 0:
            yield error(
                "key-size",
                case.place(size),
                f"{name}={value} needs a {size}: without it PowerDNS will not start",
                f"{size}=2048",
            )


def words(case: Case) -> Iterator[Finding]:
    """Settings with words or lengths of their own."""
    level = "webserver-loglevel"
    if case.conf.value(level, "normal") not in _LOG_LEVELS:
        message = f"{level}={case.conf.value(level)}: PowerDNS will not start; the levels are {', '.join(_LOG_LEVELS)}"
        yield error("log-level", case.place(level), message, f"{level}=normal")
    cookie = "edns-cookie-secret"
    if (value := case.conf.value(cookie)) and not re.fullmatch(rf"[0-9a-fA-F]{{{2 * _COOKIE_OCTETS}}}", value):
        message = f"{cookie} must be {2 * _COOKIE_OCTETS} hexadecimal digits: PowerDNS will not start"
        yield error("cookie", case.place(cookie), message, f"{cookie}={secrets.token_hex(_COOKIE_OCTETS)}")


CHECKS = (unknown, old_names, switches, numbers, networks, addresses, algorithms, words)
