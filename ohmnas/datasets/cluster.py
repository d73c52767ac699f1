"""A Dask cluster whose workers come and go: calls are done there, by whatever workers there are at the time."""

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
"""Calls that are sent for each thread of the cluster: one that it does, and one that it need not wait for."""
LOOK_SECONDS = 1.0
"""At the longest between two looks at how many threads there are."""
SAY_SECONDS = 30.0
"""Between two words about a cluster without workers."""
_LOGGERS = ("distributed", "distributed.client")


class _LostError(Exception):
    """What a call returned is lost with its worker."""


class Cluster:
    """A connection to the scheduler of a Dask cluster, which is trusted."""

    def __init__(self, client: Any, scheduler: str, say: Callable[[str], None]) -> None:
        """Wrap a connected client.

        Args:
            client: a `distributed.Client`.
            scheduler: its address, for messages.
            say: called with a sentence while there are no workers.
        """
        self._client = client
        self._scheduler = scheduler
        self._say = say

    def results(self, calls: Iterable[Any]) -> Iterator[Any]:
        """What calls return, each as soon as it is there, in whatever order; this process does none itself.

        Args:
            calls: of `joblib.delayed`.

        Raises:
            OhmnasError: the scheduler is gone, or a call has killed several workers.
        """
        from distributed import KilledWorker

        try:
            yield from self._results(iter(calls))
        except KilledWorker as error:
            raise OhmnasError(
                "a worker process was killed, several times by the same network, perhaps for want of memory; all that "
                "was finished is stored: start the same command again, with workers that have more memory"
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
            except Empty:  # nothing is done yet: look at the cluster once more
                continue
            try:
                result = self._result(future)
            except _LostError:
                future.add_done_callback(done.put)
                continue
            sent.remove(future)
            yield result

    def _send(self, call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]) -> Any:
        """Send a call; gives a future of Dask's, which keeps the call alive."""
        function, args, kwargs = call
        with self._explained():
            return self._client.submit(partial(function, *args, **kwargs), pure=False)

    def _result(self, future: Any) -> Any:
        """What a call returned that is done.

        Raises:
            _LostError: its worker died before it was fetched, and another one will do it again.
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
        """Of all workers that are there now.

        Raises:
            OhmnasError: the scheduler is gone.
        """
        if self._client.status != "running":  # it would connect to another scheduler, which knows nothing of the calls
            raise self._gone()
        with self._explained():
            return sum(self._client.nthreads().values())

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what Dask says of a scheduler that is gone into a sentence."""
        try:
            yield
        except (OSError, CancelledError) as error:
            raise self._gone() from error

    def _gone(self) -> OhmnasError:
        return OhmnasError(
            f"the scheduler {self._scheduler} is gone; all that was finished is stored: start a scheduler and the same "
            "command again"
        )


@contextmanager
def connected(scheduler: str, timeout: float, say: Callable[[str], None]) -> Iterator[Cluster]:
    """A connection to a cluster.

    Args:
        scheduler: address of its scheduler.
        timeout: seconds to wait for it.
        say: called with a sentence while there are no workers.

    Raises:
        MissingDependencyError: Dask is not installed.
        OhmnasError: the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingDependencyError.of("a Dask cluster needs distributed", "cluster", error) from error
    with _silent(_LOGGERS):
        try:
            client = Client(scheduler, timeout=timeout)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise OhmnasError(f"the scheduler {scheduler} does not answer: {error}") from error
        try:
            yield Cluster(client, scheduler, say)
        finally:
            with suppress(OSError, CancelledError):  # it is gone: there is nothing to say goodbye to
                client.close(timeout=timeout)  # type: ignore[no-untyped-call]


@contextmanager
def _silent(names: Iterable[str]) -> Iterator[None]:
    """What loggers would say of a lost connection, we say in a sentence."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
