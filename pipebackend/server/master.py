"""The process that listens: it accepts connections, hands each to a worker and looks after the workers.

It never reads a question. It keeps every connection open beside the worker, and so a worker may die, or be replaced by
a newer one, without PowerDNS noticing: what waited for no answer is handed to another worker, the rest is closed.
PowerDNS loses a question whenever a connection closes, even an idle one, so that none is closed without need.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from pipebackend.base import logs
from pipebackend.server import sharedstats, sockets
from pipebackend.server.arguments import SYSTEMD
from pipebackend.server.handover import Slots, memory_file
from pipebackend.server.worker import FINISH, FINISH_SECONDS, READY, TAKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipebackend.server.arguments import Arguments
    from pipebackend.server.worker import NewTranslate

__all__ = ["Master", "run"]

MOST_CONNECTIONS = 16_384
MOST_VAIN = 10  # so many workers in a row that ended before they were ready: then the service ends
_RETRY_SECONDS = 0.2
_MOST_RETRY_SECONDS = 2.0
_HANGS_SECONDS = 30.0  # a worker that does not even take a connection for so long never will
_SPARE_FILES = 64  # descriptors for all but connections


def run(given: Arguments, new_translate: NewTranslate | None) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP replaces all workers. ConfigFault if nothing can be listened to."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    listener = sockets.listening(given, os.environ)
    admits = sockets.admission(listener, given, new_translate)
    try:
        with sharedstats.folder() as where:
            os.environ[sharedstats.FOLDER_KEY] = where  # for the workers
            if given.metrics or given.maintain_keys:
                from pipebackend.server import beside

                beside.start(given, where)
            status = Master(listener, given.workers or len(os.sched_getaffinity(0)), most, admits).run()
    finally:
        listener.close()
        if given.listen and given.listen != SYSTEMD:
            sockets.remove(given.listen)
    sys.exit(status)


class Worker:
    """A worker as the master sees it."""

    def __init__(self, memory: int) -> None:
        self.control, control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.setblocking(False)
        life, self._held = os.pipe()
        passed = (control.fileno(), memory, life)
        own = {sockets.WORKER_KEY: " ".join(map(str, (*passed, os.getpid())))}
        environ = sockets.environ_of_children(os.environ) | own
        command = [sys.executable, *sys.orig_argv[1:]]  # a new program: after an upgrade it is the new one
        self.process = subprocess.Popen(command, env=environ, pass_fds=passed, stdin=subprocess.DEVNULL, stdout=2)
        control.close()
        os.close(life)
        self.slots: set[int] = set()
        self.untaken = 0  # connections that were sent and not yet taken
        self.sent_at = 0.0  # when the first of these was
        self.is_ready = False
        self.is_finishing = False

    def close(self) -> int:
        """The exit status of a worker that has ended."""
        self.control.close()
        os.close(self._held)
        return self.process.wait()

    def send(self, message: bytes, *descriptors: int) -> bool:
        """Whether the worker will get it."""
        try:
            socket.send_fds(self.control, [message], descriptors)
        except OSError:  # it has ended, or hangs and its queue is full
            return False
        return True


class Master:
    """The connections of all workers."""

    def __init__(self, listener: socket.socket, workers: int, files: int, admits: Callable[[str], bool]) -> None:
        self._listener = listener
        self._admits = admits
        self._wanted = workers
        self._slots_file = memory_file(max(16, min(MOST_CONNECTIONS, files - _SPARE_FILES)))
        self._slots = Slots(self._slots_file)
        self._free = list(range(self._slots.count))
        self._clients: dict[int, tuple[int, socket.socket]] = {}  # by descriptor: the slot and the connection
        self._descriptors: dict[int, int] = {}  # by slot
        self._waiting: list[int] = []  # slots that no worker has
        self._workers: dict[int, Worker] = {}  # by the descriptor of their control
        self._vain = 0
        self._retry_at = 0.0
        self._poll = select.epoll()
        self._signals, self._wakeup = socket.socketpair()
        self._status: int | None = None

    def run(self) -> int:
        """Serve; the exit status."""
        self._catch_signals()
        self._listener.setblocking(False)
        self._poll.register(self._listener, select.EPOLLIN)
        self._start_workers(self._wanted)
        while self._status is None:
            for ready, events in self._poll.poll(_RETRY_SECONDS if self._is_behind() else -1):
                self._handle(ready, events)
            self._catch_up()
        self._finish_all()
        return self._status

    def _catch_signals(self) -> None:
        for descriptor in (self._signals, self._wakeup):
            descriptor.setblocking(False)
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.set_wakeup_fd(self._wakeup.fileno())
        self._poll.register(self._signals, select.EPOLLIN)

    def _handle(self, ready: int, events: int) -> None:
        if ready == self._listener.fileno():
            self._accept()
        elif ready == self._signals.fileno():
            for number in self._signals.recv(64):
                self._obey(number)
        elif ready in self._workers:
            self._hear(self._workers[ready])
        elif ready in self._clients and sockets.is_closed(ready):
            self._forget(ready)

    def _obey(self, number: int) -> None:
        if number == signal.SIGHUP:
            sockets.notify(os.environ, f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            logs.info("starting new workers; the old ones answer until these are ready")
            self._start_workers(self._wanted)
        elif number in (signal.SIGTERM, signal.SIGINT):
            sockets.notify(os.environ, "STOPPING=1")
            self._status = 0

    def _accept(self) -> None:
        if not self._free:
            logs.once("full", f"{self._slots.count} connections are open: more wait until some are closed")
            self._poll.modify(self._listener, 0)
            return
        try:
            client, place = self._listener.accept()
        except OSError:  # it has gone already
            return
        if client.family != socket.AF_UNIX and not self._admits(place[0]):
            client.close()
            return
        client.setblocking(False)
        slot = self._free.pop()
        self._slots.clear(slot)
        self._clients[client.fileno()] = slot, client
        self._descriptors[slot] = client.fileno()
        self._poll.register(client, 0)
        self._waiting.append(slot)

    def _forget(self, descriptor: int) -> None:
        slot, client = self._clients.pop(descriptor)
        self._poll.unregister(client)
        client.close()
        del self._descriptors[slot]
        for worker in self._workers.values():
            worker.slots.discard(slot)
        if slot in self._waiting:
            self._waiting.remove(slot)
        if not self._free:
            logs.forget("full")
            self._poll.modify(self._listener, select.EPOLLIN)
        self._free.append(slot)

    def _hear(self, worker: Worker) -> None:
        try:
            message = worker.control.recv(64)
        except OSError:
            message = b""
        if message == READY:
            worker.is_ready = True
            self._vain = 0
            self._retire_the_old()
        elif message == TAKEN:
            worker.untaken -= 1
            worker.sent_at = time.monotonic()
        else:
            self._bury(worker)

    def _retire_the_old(self) -> None:
        """Once enough new workers are ready, those before them end; the master tells systemd."""
        ready = [worker for worker in self._workers.values() if worker.is_ready and not worker.is_finishing]
        if any(not worker.is_ready for worker in self._workers.values()) or len(ready) < self._wanted:
            return
        for worker in ready[: -self._wanted]:
            worker.is_finishing = True
            worker.send(FINISH)
        sockets.notify(os.environ, "READY=1")

    def _bury(self, worker: Worker) -> None:
        """What a worker leaves: connections for others, and a place to fill."""
        self._poll.unregister(worker.control)
        del self._workers[worker.control.fileno()]
        status = worker.close()
        sharedstats.retire(os.environ[sharedstats.FOLDER_KEY], worker.process.pid)
        cut = 0
        for slot in worker.slots:
            if self._slots.is_waiting(slot):
                cut += 1
                self._forget(self._descriptors[slot])
            else:
                self._waiting.append(slot)
        if worker.is_finishing:
            return
        lost = f"; {cut} connections that waited for an answer are closed" if cut else ""
        logs.warning(f"worker {worker.process.pid} ended with status {status}{lost}")
        if not worker.is_ready:
            self._mourn_unborn(status)

    def _mourn_unborn(self, status: int) -> None:
        """A worker ended before it was ready; unless something killed it, it has said why."""
        self._vain += 1
        self._retry_at = time.monotonic() + min(_RETRY_SECONDS * self._vain, _MOST_RETRY_SECONDS)
        if not any(worker.is_ready for worker in self._workers.values()):
            if status == 2 or self._vain >= MOST_VAIN:
                self._status = status if status > 0 else 1
        elif status > 0:
            logs.error("a new worker could not start; those before it go on")
            for worker in [one for one in self._workers.values() if not one.is_ready]:
                worker.is_finishing = True  # it is of the same making
                worker.process.kill()
            sockets.notify(os.environ, "READY=1")

    def _is_behind(self) -> bool:
        return bool(self._waiting) or self._missing() > 0 or any(one.untaken for one in self._workers.values())

    def _missing(self) -> int:
        return self._wanted - sum(not worker.is_finishing for worker in self._workers.values())

    def _catch_up(self) -> None:
        if self._missing() > 0 and time.monotonic() >= self._retry_at:
            self._start_workers(self._missing())
        for worker in self._workers.values():
            if worker.untaken and time.monotonic() - worker.sent_at > _HANGS_SECONDS:
                logs.error(f"worker {worker.process.pid} unresponsive for {_HANGS_SECONDS:.0f} s; killed")
                worker.process.kill()
        waiting, self._waiting = self._waiting, []
        for slot in waiting:
            self._hand_out(slot)

    def _hand_out(self, slot: int) -> None:
        """Give a connection to the worker with the fewest; none may be ready."""
        able = [worker for worker in self._workers.values() if worker.is_ready and not worker.is_finishing]
        for worker in sorted(able, key=lambda one: (one.untaken, len(one.slots))):
            if worker.send(b"%d" % slot, self._descriptors[slot]):
                worker.slots.add(slot)
                worker.sent_at = worker.sent_at if worker.untaken else time.monotonic()
                worker.untaken += 1
                return
        self._waiting.append(slot)

    def _start_workers(self, count: int) -> None:
        for _ in range(count):
            worker = Worker(self._slots_file)
            self._workers[worker.control.fileno()] = worker
            self._poll.register(worker.control, select.EPOLLIN)

    def _finish_all(self) -> None:
        """End in order: what is being answered is finished."""
        for worker in self._workers.values():
            worker.send(FINISH)
        deadline = time.monotonic() + FINISH_SECONDS + 1
        for worker in self._workers.values():
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
            worker.close()
