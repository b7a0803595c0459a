"""What routes ask for: a session to read or to write, the person, the present instant.

A write session is one transaction: committed before the answer goes out, so an answer of success is on the
disk; an exception that leaves the route rolls it back.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Request
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from sqlmodel import Session

from fleet_server.accounts.access import Person

_ROW_ID_LIMIT = 2**31 - 1  # what both databases keep in an INTEGER key


Result = TypeVar("Result")


def _read(request: Request) -> Iterator[Session]:
    with request.app.state.database.read() as session:
        yield session


async def _write(request: Request) -> AsyncIterator[Session]:
    state = request.app.state
    async with state.write_gate, contextmanager_in_threadpool(state.database.write()) as session:
        yield session


async def write(request: Request, do: Callable[[Session], Result]) -> Result:
    """One write transaction on its own, for routes that do something slow before or after it.

    `write_gate`, here and above: one request at a time waits for the writer in a thread. Without it, as many waiting
    requests as there are threads would leave none for the request that holds the writer, and all would wait for ever.
    So no route calls `database.write()` itself.
    """

    def transaction() -> Result:
        with request.app.state.database.write() as session:
            return do(session)

    async with request.app.state.write_gate:
        return await run_in_threadpool(transaction)


async def read(request: Request, do: Callable[[Session], Result]) -> Result:
    """The same for reading."""

    def transaction() -> Result:
        with request.app.state.database.read() as session:
            return do(session)

    return await run_in_threadpool(transaction)


def _person(request: Request) -> Person | None:
    return getattr(request.state, "person", None)


def _now(request: Request) -> int:
    return int(request.app.state.clock())


ReadSession = Annotated[Session, Depends(_read, scope="function")]
WriteSession = Annotated[Session, Depends(_write, scope="function")]
CurrentPerson = Annotated[Person | None, Depends(_person)]
Now = Annotated[int, Depends(_now)]
RowId = Annotated[int, Path(ge=1, le=_ROW_ID_LIMIT)]
