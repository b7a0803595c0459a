"""A temporary PostgreSQL 15 for tests: its own cluster in a temporary folder, reached over a Unix socket only."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
NOT_INSTALLED = "PostgreSQL 15 is not installed (Debian: apt-get install postgresql-15)"


def installed() -> bool:
    """Whether Debian's PostgreSQL 15 is here."""
    return (PROGRAMS / "initdb").exists()


class Cluster:
    """A running cluster; every database that it makes is a copy of a template."""

    def __init__(self, folder: Path, run: Callable[..., None]) -> None:
        self.folder = folder
        self._run = run
        self._made = 0

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        self._run("pg_ctl", "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self, how: str = "immediate") -> None:
        """End all its connections at once, as a crash would; `fast`: with everything on the disk."""
        self._run("pg_ctl", "-m", how, "-w", "stop")

    def url(self, name: str) -> str:
        """SQLAlchemy address of a database of this cluster."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def create(self, template: str = "template1") -> str:
        """A new database, copied from `template`; returns its name."""
        self._made += 1
        name = f"test_{self._made}"
        with psycopg.connect(
            f"postgresql://postgres@/postgres?host={self.folder}", autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name


@contextmanager
def cluster(kept: Path | None = None) -> Iterator[Cluster]:
    """A cluster that is gone again afterwards, but for its data in the folder `kept`, if there is one.

    PostgreSQL refuses to run as root: then it runs as user postgres.
    """
    folder = Path(tempfile.mkdtemp(prefix="hymio-pg-"))
    as_owner: list[str] = []
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_owner = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    data = kept or folder / "data"
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        if as_owner:
            os.chown(kept, owner.pw_uid, owner.pw_gid)

    def run(program: str, *arguments: str) -> None:
        command = [*as_owner, str(PROGRAMS / program), "-D", str(data), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    try:
        if not (data / "PG_VERSION").exists():
            run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync")
        made = Cluster(folder, run)
        made.start()
        try:
            yield made
        finally:
            made.stop("fast" if kept is not None else "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
