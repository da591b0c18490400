"""The two kinds of error of the shell, and which of PostgreSQL's belong where."""

import asyncpg


class Unavailable(Exception):
    """PostgreSQL did not answer. Whether the change was made is unknown: try again with the same ticket."""


class TooManyParked(Exception):
    """So many records were parked in a minute that something is wrong with us rather than with them: the consumer stops."""


class InputRefused(Exception):
    """Raised by a step: this input can't be taken, and the service is well. A record is parked with this text as its reason.

    The text is written for who looks after parked records: it says what to do, and holds nothing that a usager wrote.
    """


def place_of(error: BaseException) -> str:
    """Return the file and line where an exception arose, "" for one never raised; not its text, which may name a usager."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{'/'.join(trace.tb_frame.f_code.co_filename.split('/')[-3:])}:{trace.tb_lineno}"


UNAVAILABLE: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg, when the connection broke under a statement
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
    asyncpg.UndefinedTableError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""No retry of ours can be wrong, and one may help: the database is away, starting, full, not migrated yet."""

CONFLICT: tuple[type[Exception], ...] = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""Another transaction was in the way: run the batch again at once."""

FAULTY: tuple[type[Exception], ...] = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""PostgreSQL will never take these values: find the input that brings them."""
