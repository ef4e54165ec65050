"""Real processes beside the test's own, each with a connection of its own, started by `fork`."""

import os
import signal
import sys
import traceback
from contextlib import contextmanager

from django.db import connection, connections


def started(task, *args) -> int:
    """Run `task(*args)` in a child; its process id. The child exits with 0, or with 1 and a traceback."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        task(*args)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def ended(child) -> int:
    """Wait for a child: its exit status, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def failing_at(statement, error):
    """Let the statement of this number fail with `error`, as on a full disk; yields how many there were so far."""
    executed = []

    def execute(run, sql, params, many, context):
        executed.append(sql)
        if len(executed) == statement:
            raise error
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield executed


@contextmanager
def killed_after(statements):
    """End this process by SIGKILL once it has executed this many SQL statements on its connection."""
    count = 0

    def execute(run, sql, params, many, context):
        nonlocal count
        result = run(sql, params, many, context)
        count += 1
        if count == statements:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    with connection.execute_wrapper(execute):
        yield
