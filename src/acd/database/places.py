"""Where the embedded server keeps its things, and as whom it runs."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from acd.core.errors import DatabaseRefused

USER = "acd_user"
DATABASE = "acd_database"
SOCKET_NAME = ".s.PGSQL.5432"
ROOT_SHELF = Path("/var/lib/acd")
# sun_path holds 104 bytes on macOS and 108 on Linux, with the zero at the end.
_SOCKET_PATH_LIMIT = 100


class Account(NamedTuple):
    """The account that the server's processes run as when we are root, which PostgreSQL refuses to be."""

    name: str
    uid: int
    gid: int


class Places(NamedTuple):
    """Folders of one embedded server. `base` is ours; data and socket belong to `account` where there is one."""

    base: Path
    socket_folder: Path
    account: Account | None

    @property
    def gate(self) -> Path:
        """Lock: held while the server is started or stopped."""
        return self.base / "gate.lock"

    @property
    def users(self) -> Path:
        """Lock: shared by everyone who uses the server."""
        return self.base / "users.lock"

    @property
    def guard(self) -> Path:
        """Lock: held by the guard process as long as it lives; holds its pid."""
        return self.base / "guard.lock"

    @property
    def keep(self) -> Path:
        """Holds the pid of the guard that shall not stop the server when nobody uses it (`acd db start`)."""
        return self.base / "keep"

    @property
    def log(self) -> Path:
        """What the server and its guard say."""
        return self.base / "postgresql.log"

    @property
    def socket(self) -> Path:
        """The socket that the server listens on."""
        return self.socket_folder / SOCKET_NAME

    def data(self, major: int) -> Path:
        """The data folder; it is named after the version that wrote it."""
        return self.base / f"pg{major}"

    def url(self, database: str = DATABASE) -> str:
        """URL that libpq understands."""
        return f"postgresql://{USER}@/{database}?host={quote(str(self.socket_folder), safe='')}&port=5432"


def places_of(home: Path) -> Places:
    """Where the embedded server of `home` (ACD_HOME) is.

    As root it lies outside: the account that the server runs as cannot enter a 0700 folder of root's, and no
    permission of a folder that exists already is ever changed.

    Raises:
        DatabaseRefused: root, but this home has the data of an ordinary user; or there is no account to run as.
    """
    home = home.expanduser().absolute()
    inside = home / "postgres"
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    if os.geteuid() == 0:
        if any(inside.glob("pg[0-9]*")):
            owner = inside.stat().st_uid
            raise DatabaseRefused(
                f"{inside} holds the database of user {owner}: call acd as that user, not as root"
            )
        base = ROOT_SHELF / mark
        return Places(base, base / "socket", _account())
    folder = inside / "socket"
    if len(os.fsencode(folder / SOCKET_NAME)) > _SOCKET_PATH_LIMIT:
        # Not tempfile.gettempdir(): TMPDIR may differ between two terminals of one user, and may be long itself.
        folder = Path("/tmp") / f"acd-{os.geteuid()}-{mark}"  # noqa: S108 - made 0700 and checked below
    return Places(inside, folder, None)


def make_base(places: Places) -> None:
    """Make the folder of locks and log, where it is missing, so that there is a gate to hold.

    Raises:
        DatabaseRefused: it cannot be made.
    """
    with _refused():
        if places.account:
            _make_folder(ROOT_SHELF, 0o755)
            _make_folder(places.base, 0o711)  # the account passes through and reads nothing
        else:
            places.base.parent.mkdir(parents=True, exist_ok=True)
            _make_folder(places.base, 0o700)


def make_socket_folder(places: Places) -> None:
    """Make the socket's folder where it is missing. Call it with the gate held.

    Raises:
        DatabaseRefused: it cannot be made or belongs to somebody else.
    """
    with _refused():
        _make_folder(places.socket_folder, 0o700, places.account)
        _check_owner(places.socket_folder, places.account)


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatabaseRefused(
            f"the embedded PostgreSQL has no place: {error}; set ACD_HOME or DATABASE_URL"
        ) from error


def _make_folder(path: Path, mode: int, owner: Account | None = None) -> None:
    """Make a folder with these permissions whatever the umask is; one that exists is left as it is."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.mkdir(mode=0o700)
    draft.chmod(mode)
    if owner:
        os.chown(draft, owner.uid, owner.gid)
    try:
        draft.rename(
            path
        )  # over a folder that another process has just made, as long as it is empty
    except OSError:
        draft.rmdir()
        if not path.is_dir():
            raise


def _check_owner(folder: Path, account: Account | None) -> None:
    """A folder in /tmp may have been put there by anybody."""
    found = folder.lstat()
    wanted = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != wanted or found.st_mode & 0o077:
        raise DatabaseRefused(
            f"{folder} must be a folder of mode 0700 owned by user {wanted}: remove it and try again"
        )


def _account() -> Account:
    try:
        found = pwd.getpwnam("nobody")
    except KeyError as error:
        raise DatabaseRefused(
            "PostgreSQL does not run as root and there is no account `nobody` to run it as: "
            "call acd as an ordinary user, or set DATABASE_URL"
        ) from error
    return Account(found.pw_name, found.pw_uid, found.pw_gid)
