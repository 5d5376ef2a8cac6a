"""A process that answers the connections which the master hands to it, all in one thread."""

from __future__ import annotations

import copy
import os
import resource
import select
import socket
import time
from typing import TYPE_CHECKING

from pipebackend.backend.opening import open_backend
from pipebackend.base import logs
from pipebackend.base.signals import SIG_DFL, SIG_IGN, SIGHUP, SIGTERM, signal
from pipebackend.server import sharedstats, supervisor
from pipebackend.server.answercache import MAX_ANSWERS, Kept
from pipebackend.server.connection import Connection
from pipebackend.server.finished import Finished
from pipebackend.server.handover import Slots
from pipebackend.server.tracing import traced

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipebackend.backend.backend import Backend
    from pipebackend.backend.sessions import NewSession, Session
    from pipebackend.server.arguments import Arguments
    from pipebackend.server.httpconnection import HttpConnection, Translate
    from pipebackend.server.sharedstate import SharedState

    NewTranslate = Callable[[Arguments], Translate]

__all__ = ["FINISH", "READY", "TAKEN", "NewTranslate", "run"]

READY = b"ready"
TAKEN = b"taken"
FINISH = b"finish"
FINISH_SECONDS = 5.0  # how long half a request, or a transaction, may keep a worker that is to end
MOST_HELD = 64 << 20  # octets of half requests and unread answers of all clients together
_MOST_WITH_STORE = 8  # one of so many connections that there may be files for: the store has three, and they may be few
_LOOK_SECONDS = 5.0  # between two looks for requests that take too long
_MOST_KEEPING = 16  # so many connections have the shortcut of ``answercache``, whose memory each has for itself


def run(
    given: Arguments,
    new_session: NewSession,
    new_translate: NewTranslate | None,
    control: int,
    memory: int,
    life: int,
    master: int,
) -> None:
    """Answer until the master says FINISH or ends; ConfigFault.

    ``control`` is the socket over which connections come, ``memory`` that of ``slots``, ``life`` the pipe that only
    the process ``master`` holds open.
    """
    supervisor.end_with(master, life)
    signal(SIGHUP, SIG_IGN)
    signal(SIGTERM, SIG_DFL)
    backend = open_backend(given.config)
    # Before it is ready: a secret that cannot be read leaves the workers before this one in their places
    translate = new_translate(given) if new_translate is not None and (given.http or given.secret) else None
    backend.start_watching()
    where = os.environ[sharedstats.FOLDER_KEY]
    backend.stats.others = lambda: sharedstats.read(where, os.getpid())
    finish = sharedstats.publish(where, backend.numbers)
    Worker(backend, new_session, new_translate, translate, socket.socket(fileno=control), Slots(memory), given).run()
    finish()


class Worker:
    """The connections of one process."""

    def __init__(
        self,
        backend: Backend,
        new_session: NewSession,
        new_translate: NewTranslate | None,
        translate: Translate | None,
        control: socket.socket,
        slots: Slots,
        given: Arguments,
    ) -> None:
        self._given = given
        self._new_translate = new_translate
        self._translate = translate
        self._backend = backend
        self._new_session = new_session
        self._control = control
        self._slots = slots
        self._lines: dict[bytes, bytes] = {}  # of HTTP requests
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}
        self._held = 0
        self._crowd = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // _MOST_WITH_STORE
        self._ends_at = 0.0  # monotonic; 0 while nobody said FINISH
        self._expiring: dict[int, HttpConnection] = {}
        self._look_at = 0.0
        self._finished = Finished()
        self._maker: Kept | None = None  # who makes answers in advance: the latest client that may have them

    def run(self) -> None:
        """Answer until told to finish."""
        self._poll.register(self._control, select.EPOLLIN)
        self._control.send(READY)
        while not self._is_finished():
            patience = self._patience()
            if not patience:  # answers are made in advance, after those who share this CPU had their turn to ask
                os.sched_yield()
            events = self._poll.poll(patience)
            for ready, _ in events:
                if ready == self._control.fileno():
                    self._obey()
                elif ready in self._connections:
                    self._serve(self._connections[ready])
            if not events and self._maker is not None and not self._maker.make_some():
                self._maker = None
            if self._expiring:
                self._expire(time.monotonic())

    def _patience(self) -> float:
        """For how many seconds clients are waited for; -1 for ever."""
        if self._ends_at:
            return 0.05
        if self._maker is not None and self._finished.unfinished:
            return 0
        return _LOOK_SECONDS if self._expiring else -1

    def _is_finished(self) -> bool:
        """Whether all that could be finished is: the master then gives what is left to another worker."""
        if not self._ends_at:
            return False
        return time.monotonic() > self._ends_at or all(one.is_movable for one in self._connections.values())

    def _obey(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(self._control, 64, 1)
        if not message:  # the master has ended
            os._exit(1)
        if message == FINISH:
            self._ends_at = time.monotonic() + FINISH_SECONDS
            return
        client = socket.socket(fileno=descriptors[0])
        client.setblocking(False)
        memory = self._slots.memory(int(message))
        # A copy shares the zones and opens a store of its own, for each client has its own transactions.
        backend = copy.copy(self._backend)
        session = self._new_session(backend, memory.remember)
        keeps = len(self._connections) < _MOST_KEEPING
        answering = self._maker = Kept(session, MAX_ANSWERS if keeps else 0, self._finished)
        connection = self._connection(client, memory, traced(answering, self._given, backend) or answering, backend)
        self._connections[client.fileno()] = connection
        self._poll.register(client, select.EPOLLIN)
        if len(self._connections) == self._crowd:
            for one in self._connections.values():
                one.rest()
        self._control.send(TAKEN)

    def _connection(self, client: socket.socket, memory: SharedState, session: Session, backend: Backend) -> Connection:
        if self._new_translate is None or (client.family == socket.AF_UNIX and not self._given.http):
            return Connection(client, memory, session, backend.close)
        if self._translate is None:
            self._translate = self._new_translate(self._given)
        from pipebackend.server.httpconnection import HttpConnection

        if client.family != socket.AF_UNIX:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each answer may wait for an ACK
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # of hosts that vanish nobody is told
        found = HttpConnection(client, memory, session, backend.close, self._translate, self._lines)
        self._expiring[client.fileno()] = found
        return found

    def _expire(self, moment: float) -> None:
        """Look now and then for requests that do not come to their end."""
        if moment < self._look_at:
            return
        self._look_at = moment + _LOOK_SECONDS
        for connection in list(self._expiring.values()):
            before = connection.held
            if connection.expire(moment):
                self._drop(connection, before)

    def _serve(self, connection: Connection) -> None:
        before, was_writing = connection.held, connection.wants_to_write
        try:
            if was_writing:
                connection.write()
            elif not connection.read():
                self._drop(connection, before)
                return
        except BlockingIOError:
            return
        except OSError:  # the client has gone in the middle of something
            self._drop(connection, before)
            return
        if len(self._connections) >= self._crowd:
            connection.rest()
        self._held += connection.held - before
        if connection.is_over:
            self._drop(connection, connection.held)
        elif self._held > MOST_HELD:
            logs.once("held", f"half requests and unread answers fill {MOST_HELD >> 20} MiB: clients are cut off")
            self._drop(connection, connection.held)
        elif connection.wants_to_write != was_writing:
            wanted = select.EPOLLOUT if connection.wants_to_write else select.EPOLLIN
            self._poll.modify(connection.socket, wanted)

    def _drop(self, connection: Connection, held: int) -> None:
        """Forget a client and its transaction, if one is open."""
        self._held -= held
        # Not by closing it: the master has it open until it hears of the end, and each poll would return at once
        self._poll.unregister(connection.socket)
        del self._connections[connection.socket.fileno()]
        self._expiring.pop(connection.socket.fileno(), None)
        connection.close()
