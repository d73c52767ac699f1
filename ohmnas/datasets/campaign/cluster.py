"""Dask cluster whose workers can join and leave at any time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any

from ohmnas.errors import MissingDependencyError, OhmnasError

PER_THREAD = 2
"""Number of calls sent per thread: one runs and one waits in the queue."""
LOOK_SECONDS = 1.0
"""Longest wait for a result before the number of threads is checked again."""
SAY_SECONDS = 30.0
"""Seconds between two messages about a cluster without workers."""
_LOGGERS = ("distributed", "distributed.client")


class _LostError(Exception):
    """The result of a call was lost with its worker."""


class Cluster:
    """Connection to the scheduler of a trusted Dask cluster."""

    def __init__(self, client: Any, scheduler: str, say: Callable[[str], None]) -> None:
        """Wrap a connected client.

        Args:
            client: a `distributed.Client`.
            scheduler: address of the scheduler, for messages.
            say: called with a message while there are no workers.
        """
        self._client = client
        self._scheduler = scheduler
        self._say = say

    def results(self, calls: Iterable[Any]) -> Iterator[Any]:
        """Yield the results of calls as they finish, in any order; this process runs none itself.

        Args:
            calls: calls made with `joblib.delayed`.

        Raises:
            OhmnasError: the scheduler is gone, or several workers were killed during the same call.
        """
        from distributed import KilledWorker

        try:
            yield from self._results(iter(calls))
        except KilledWorker as error:
            raise OhmnasError(
                "a worker process was killed several times by the same network, perhaps because memory ran out; all "
                "finished rows are stored: run the same command again, with workers that have more memory"
            ) from error

    def _results(self, waiting: Iterator[Any]) -> Iterator[Any]:
        sent: set[Any] = set()
        done: SimpleQueue[Any] = SimpleQueue()
        last = time.monotonic()
        while True:
            threads = self._threads()
            now = time.monotonic()
            if threads:
                last = now
            elif now >= last + SAY_SECONDS:
                last = now
                self._say(f"the cluster at {self._scheduler} has no workers: waiting for one")
            for call in islice(waiting, max(PER_THREAD * max(threads, 1) - len(sent), 0)):
                future = self._send(call)
                sent.add(future)
                future.add_done_callback(done.put)
            if not sent:
                return
            try:
                future = done.get(timeout=LOOK_SECONDS)
            except Empty:  # nothing finished yet: check the cluster again
                continue
            try:
                result = self._result(future)
            except _LostError:
                future.add_done_callback(done.put)
                continue
            sent.remove(future)
            yield result

    def _send(self, call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]) -> Any:
        """Send a call and return its Dask future; Dask drops the call if the future is deleted."""
        function, args, kwargs = call
        with self._explained():
            return self._client.submit(partial(function, *args, **kwargs), pure=False)

    def _result(self, future: Any) -> Any:
        """Return the result of a finished call.

        Raises:
            _LostError: its worker died before the result was fetched; Dask runs the call again.
            Exception: the error that the call itself raised.
        """
        with self._explained():
            error = future.exception() if future.status == "error" else None
            try:
                result = None if error else future.result(timeout=LOOK_SECONDS)
            except TimeoutError:
                raise _LostError from None
        if error:
            raise error
        return result

    def _threads(self) -> int:
        """Return the total number of threads of the workers.

        Raises:
            OhmnasError: the scheduler is gone.
        """
        if self._client.status != "running":  # a reconnected client may have a new scheduler without our calls
            raise self._gone()
        with self._explained():
            return sum(self._client.nthreads().values())

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Convert Dask's errors about a lost scheduler into an `OhmnasError`."""
        try:
            yield
        except (OSError, CancelledError) as error:
            raise self._gone() from error

    def _gone(self) -> OhmnasError:
        return OhmnasError(
            f"the scheduler {self._scheduler} is gone; all finished rows are stored: start a scheduler and run the "
            "same command again"
        )


@contextmanager
def connected(scheduler: str, timeout: float, say: Callable[[str], None]) -> Iterator[Cluster]:
    """Connect to a cluster.

    Args:
        scheduler: address of the cluster's scheduler.
        timeout: seconds to wait for the scheduler.
        say: called with a message while there are no workers.

    Raises:
        MissingDependencyError: Dask is not installed.
        OhmnasError: the scheduler does not respond.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingDependencyError.of("a Dask cluster needs distributed", "cluster", error) from error
    with _silent(_LOGGERS):
        try:
            client = Client(scheduler, timeout=timeout)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise OhmnasError(f"the scheduler {scheduler} does not respond: {error}") from error
        try:
            yield Cluster(client, scheduler, say)
        finally:
            with suppress(OSError, CancelledError):  # the connection is already closed
                client.close(timeout=timeout)  # type: ignore[no-untyped-call]


@contextmanager
def _silent(names: Iterable[str]) -> Iterator[None]:
    """Silence loggers that report a lost connection, because `Cluster` raises an error for it."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
