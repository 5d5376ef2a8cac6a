"""Makes compiled zones: a process of its own, or ``zoneutil zone compile``. Off the serving path.

A file is written under a random name, synced and renamed, so that a kill at any moment leaves the old one or none. One
compiler works at a time in a folder, and one waits for each zone; what another one left half done is removed by the
next. All is done as the owner of the folder, in the folder that was opened: no link leads anywhere else.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import lmdb

from pipebackend.base import garbage, logs, ownership
from pipebackend.base.errors import BackendError, ConfigFault, ZoneFault
from pipebackend.config import configuration
from pipebackend.config.configuration import Section
from pipebackend.dnsdata import answerable, datalines, nsec3param, occlusion, versions
from pipebackend.dnsdata.nsec3 import hash_label
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.dnsdata.records import ENT, Client
from pipebackend.zones import ring
from pipebackend.zones.compiled import choice, fingerprints, layout
from pipebackend.zones.compiled.newfile import NEW, locked, new_file, opened_folder
from pipebackend.zones.compiled.outline import Outline
from pipebackend.zones.compiled.target import FOLDER, Target

if TYPE_CHECKING:
    from pipebackend.dnsdata.versions import Version
    from pipebackend.zones.base import Compilable

__all__ = ["build", "build_as_owner", "main", "sections", "write"]

Progress = Callable[[str, int], None]
_BATCH = 20_000  # names in one transaction, whose pages are in memory
_KEPT_CHAINS = 2  # NSEC3 rings that a newer file gets again: the one in use, and one that is being changed to
_UNSETTLED_SECONDS = 0.2  # until a source that is being written is looked at again
_MAX_ROUNDS = 20  # so often; one that never comes to rest is read into memory by each process
_MADE, _NOTHING_TO_DO, _FAILED = 0, 3, 1  # exit statuses of ``build_as_owner``'s process
_NICE = 10


def main(config_path: str, apex: str, ident: str, chain: str) -> None:
    """What ``compilation.request`` starts: bring one zone's file about, unless it is there by now."""
    os.nice(_NICE)
    try:
        user = _owner(os.path.dirname(config_path))
        if user:
            ownership.become_owner(user)
        section = sections(configuration.read(config_path)).get(apex)
        if section is not None:
            build(section, apex, int(ident), chain)
    except BackendError as exc:
        logs.error(f"zone {apex or '.'} cannot be compiled: {exc}")
    except OSError as exc:
        logs.error(f"zone {apex or '.'} cannot be compiled: {exc}; make room or give the folder to this user")
    except Exception:  # the edge of this process
        logs.traceback(f"compiling zone {apex or '.'} failed")


def build_as_owner(section: Section, apex: str, ident: int, chain: str, progress: Progress) -> bool:
    """``build`` by the owner of the folder where that is not the caller, who then is root; ZoneFault if it fails."""
    user = _owner(section.config.folder)
    if not user:
        return build(section, apex, ident, chain, progress)
    name, pid = ownership.user_name(user), os.fork()
    if not pid:
        status = _FAILED
        try:
            ownership.become_owner(user)
            status = _MADE if build(section, apex, ident, chain, progress) else _NOTHING_TO_DO
        except (BackendError, OSError) as exc:
            logs.error(f"as {name}: {exc}")
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in (_MADE, _NOTHING_TO_DO):
        raise ZoneFault([f"zone {apex or '.'} could not be compiled as {name}, who owns {section.config.folder}"])
    return status == _MADE


def _owner(folder: str) -> int:
    """The user as whom root compiles in ``folder``: its owner, or that of the folder in it; 0 is root itself."""
    user = ownership.owner_to_become(folder)
    if user or os.geteuid():
        return user
    try:
        return os.lstat(os.path.join(folder, FOLDER)).st_uid
    except OSError:
        return 0


def build(section: Section, apex: str, ident: int, chain: str = "", progress: Progress = lambda _, __: None) -> bool:
    """Bring about the compiled file of one zone, with the NSEC3 ring ``chain``; whether there was anything to do.

    A source that is refused gives a file that says so. Raises ConfigFault for a configuration that is, and ZoneFault
    if the source does not come to rest.
    """
    os.environ[fingerprints.VERIFY_KEY] = "1"  # LMDB trusts what it maps: damage would end this process
    with garbage.uncollected():  # it takes as long as all else
        return _build(section, apex, ident, chain, progress)


def _build(section: Section, apex: str, ident: int, chain: str, progress: Progress) -> bool:
    target = Target.of(section, apex, ident)
    with opened_folder(os.path.dirname(target.path)) as folder, locked(folder, target.path) as is_ours:
        if not is_ours:  # another compiler of this zone is at work, and sees to it that its source has come to rest
            return False
        chains = [nsec3param.from_text(chain)] if chain else []
        there = _mapped(target.path)  # held until the end, so that its digest is looked at once
        made = _chains_of(there)
        if _is_there(target) and all(param in made for param in chains):
            return False
        _remove_leftovers(section, folder)
        chains += [param for param in made if param not in chains]
        before: fingerprints.Fingerprint = ()
        for _ in range(_MAX_ROUNDS):
            started = time.time_ns()
            zone, refusal, sources = _loaded(section, target)
            files = fingerprints.of(sources)
            if fingerprints.is_settled(files, started) or files == before:
                if zone is not None:
                    write(target, folder, zone, files, chains[:_KEPT_CHAINS], progress)
                else:
                    _write_refusal(target, folder, refusal, files)
                if fingerprints.of(sources) == files:
                    return True
            before = files
            time.sleep(_UNSETTLED_SECONDS)
    raise ZoneFault([f"{target.source} changes faster than it is compiled; each process reads it into memory"])


def _is_there(target: Target) -> bool:
    try:
        return choice.current(target) is not None
    except ZoneFault:  # it is, and says that the source is refused
        return True


def write(
    target: Target,
    folder: int,
    zone: Compilable,
    files: fingerprints.Fingerprint,
    chains: Iterable[Nsec3Param],
    progress: Progress,
) -> None:
    """Write a zone's file and put it in its place in the open ``folder``."""
    with new_file(target, folder, files) as env:
        unanswered: list[str] = []
        count = _put_names(env, zone, versions.of(target.powerdns) or versions.UNKNOWN, unanswered, progress)
        with env.begin(db=env.open_db(layout.NAMES)) as txn:
            outline = Outline(zone.apex, iter(txn.cursor()), getattr(zone, "proves_insecure", None))
        progress("order", count)
        members = ((layout.order_key(name, zone.apex), name) for name in ring.members(outline))
        _put(env, layout.ORDER, ((key, outline.spelled.get(name, name).encode()) for key, name in sorted(members)))
        for param in chains:
            progress("NSEC3 ring", count)
            found = ring.hashed_members(outline, opt_out=param.opt_out)
            hashed = sorted((hash_label(name, param.salt, param.iterations), name) for name in found)
            _put(env, layout.chain_name(param), ((digest.encode(), name.encode()) for digest, name in hashed))
        progress("faults", count)
        with env.begin(write=True) as txn:
            settings = getattr(zone, "settings", {})
            txn.put(layout.SETTINGS, "\n".join(f"{kind} {value}" for kind, [value] in settings.items()).encode())
        _put_head(env, layout.Head(target.config, target.decides, False, count, files), [*zone.faults, *unanswered])


def _put_names(
    env: lmdb.Environment, zone: Compilable, powerdns: Version, unanswered: list[str], progress: Progress
) -> int:
    """All names with their records; how many there are. ``unanswered`` gets a line for each that cannot be told."""
    found = sorted((layout.names_key(name), name) for name in zone.names())
    empty: list[tuple[bytes, str, bool]] = []
    cuts: set[str] = set()

    def entries() -> Iterator[tuple[bytes, bytes]]:
        for number, (key, name) in enumerate(found):
            if not number % _BATCH:
                progress("names", number)
            records = zone.find(name, Client())
            if records and records[0].type == ENT:
                empty.append((key, name, True))
                continue
            told = list(answerable.all_of(powerdns, records or ()))
            if len(told) != len(records or ()):
                from pipebackend.zones import contentcheck

                unanswered.extend(contentcheck.unanswered(zone.apex, records or (), powerdns))
            if told:
                if name != zone.apex and any(record.type == "NS" for record in told):
                    cuts.add(name)
                yield key, "".join([datalines.line(record, zone.ident) for record in told]).encode("ascii")
            elif records is not None:
                empty.append((key, name, False))

    count = _put(env, layout.NAMES, entries())
    leaves_out = getattr(zone, "proves_insecure", None) is False
    rest = [
        (key, layout.EMPTY[is_answered, (leaves_out and is_answered) or occlusion.is_hidden(name, zone.apex, cuts)])
        for key, name, is_answered in empty
    ]
    return count + _put(env, layout.NAMES, rest, append=False)


def _put(env: lmdb.Environment, database: bytes, entries: Iterable[tuple[bytes, bytes]], *, append: bool = True) -> int:
    """Write entries, in order if they are to be appended; how many there were."""
    db, count = env.open_db(database), 0
    batches = iter(entries)
    while batch := [entry for _, entry in zip(range(_BATCH), batches, strict=False)]:
        with env.begin(write=True) as txn:
            txn.cursor(db=db).putmulti(batch, append=append)
        count += len(batch)
    return count


def _put_head(env: lmdb.Environment, head: layout.Head, faults: Sequence[str]) -> None:
    with env.begin(write=True) as txn:
        txn.put(layout.FAULTS, "\n".join(faults).encode("utf-8", "surrogateescape"))
        txn.put(layout.HEAD, head.to_bytes())


def _write_refusal(target: Target, folder: int, refusal: Sequence[str], files: fingerprints.Fingerprint) -> None:
    if not os.geteuid() and ownership.untrusted(target.source):  # what the lines quote may be of another file by now
        refusal = [f"{target.source}: is refused; zoneutil zone check {target.apex or '.'} says why"]
    with new_file(target, folder, files) as env:
        _put_head(env, layout.Head(target.config, target.decides, True, 0, files), refusal)


def _loaded(section: Section, target: Target) -> tuple[Compilable | None, Sequence[str], Sequence[str]]:
    """The zone in memory, or why its source is refused, and the files that were read."""
    from pipebackend.zones.kinds import file, table

    section = Section(section.config, section.table, section.path, [], section.table.get("name"))
    section.text("kind")
    try:
        loader = table.load if target.kind == "table" else file.load
        zone = loader(section, target.apex, target.ident)
        section.finish()
    except ZoneFault as exc:
        return None, exc.faults, exc.sources or (target.source,)
    if section.faults or zone is None:
        raise ConfigFault(section.faults)
    return zone, (), zone.sources


def sections(read: configuration.Config) -> Mapping[str, Section]:
    """The sections of zones that may be compiled, by canonical name."""
    root = Section(read, read.table, "", [])
    return {
        section.name("name").lower(): section
        for section in root.sections("zone")
        if section.table.get("kind") in choice.KINDS
    }


def _mapped(path: str) -> lmdb.Environment | None:
    try:
        return layout.open_file(path)
    except layout.DAMAGED:
        return None


def _chains_of(env: lmdb.Environment | None) -> list[Nsec3Param]:
    """The NSEC3 rings that a file has, if it is there."""
    if env is None:
        return []
    found = []
    try:
        with env.begin() as txn:
            for key, _ in txn.cursor():
                if (param := layout.chain_of(bytes(key))) is not None:
                    found.append(param)
    except layout.DAMAGED:
        pass
    return found


def _remove_leftovers(section: Section, folder: int) -> None:
    """Remove what a killed compiler left, and files of zones that this configuration has no more."""
    wanted = {Target.of(found, apex, 0).path for apex, found in sections(section.config).items()}
    for name in os.listdir(folder):
        path = os.path.join(section.config.folder, FOLDER, name)
        is_old = name.endswith(".mdb") and path not in wanted and _is_of_config(path, section.config)
        if is_old or name.endswith(NEW):
            os.unlink(name, dir_fd=folder)


def _is_of_config(path: str, read: configuration.Config) -> bool:
    """Whether a compiled file is one of this configuration, or of none that is still there."""
    try:
        env = layout.open_file(path)
        with env.begin() as txn:
            head = layout.Head.from_bytes(txn.get(layout.HEAD) or b"")
    except layout.DAMAGED:
        return True
    return head.config == read.path or not os.path.exists(head.config)
