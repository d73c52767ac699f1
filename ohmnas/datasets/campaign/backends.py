"""Backends that run workers: local processes or a Dask cluster."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from ohmnas.datasets.campaign.cluster import Cluster, connected
from ohmnas.errors import InvalidValueError, MissingDependencyError, OhmnasError

_OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "ALLOC_FAILED")
"""Parts of torch's error messages when memory runs out."""
ORPHAN_SECONDS = 1.0
"""Seconds between a worker's checks that its driver still runs."""
_OF_THE_DRIVER = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that a terminal or batch system sends to all processes. Workers ignore them; the driver handles them."""


@contextmanager
def backend(
    name: str, scheduler: str | None = None, timeout: float = 30.0, say: Callable[[str], None] = lambda _: None
) -> Iterator[Cluster | None]:
    """Open the backend for `results`: yields a Dask cluster, or None for local processes.

    Args:
        name: one of `options.BACKENDS`.
        scheduler: address of the cluster's scheduler, for ``dask`` only.
        timeout: seconds to wait for the scheduler.
        say: called with a message at intervals while the cluster has no workers.

    Raises:
        InvalidValueError: ``dask`` without an address, or an address for another backend.
        MissingDependencyError: Dask is not installed.
        OhmnasError: the cluster does not respond.
    """
    if (name == "dask") != (scheduler is not None):
        raise InvalidValueError(
            f"the backend {name} {'needs a' if scheduler is None else 'takes no'} scheduler (--scheduler ADDRESS)"
        )
    if scheduler is None:
        yield None
        return
    with connected(scheduler, timeout, say) as cluster:
        yield cluster


def results(calls: Iterable[Any], jobs: int, cluster: Cluster | None = None) -> Iterator[Any]:
    """Yield the results of calls as they finish, in any order.

    Args:
        calls: calls made with `joblib.delayed`.
        jobs: number of local worker processes; 1 uses this process. A cluster ignores it.
        cluster: Dask cluster that runs the calls on all its workers; None runs them locally.

    Raises:
        MissingDependencyError: a worker cannot import what it needs.
        OhmnasError: a worker process was killed, the scheduler is gone, or memory ran out.
    """
    try:
        yield from _local(calls, jobs) if cluster is None else cluster.results(calls)
    except TerminatedWorkerError as error:
        raise OhmnasError(
            "a worker process was killed, perhaps because memory ran out; all finished rows are stored: run the same "
            "command again, with fewer --jobs if memory is short"
        ) from error
    except ImportError as error:
        if isinstance(error, OhmnasError):
            raise
        raise MissingDependencyError.of("a worker cannot import a package", "train", error) from error
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        raise OhmnasError(
            "not enough memory to measure a network; all finished rows are stored: run the same command again with "
            "fewer --jobs (on CPUs, --max-row-gib records such networks as failed)"
        ) from error


def _local(calls: Iterable[Any], jobs: int) -> Iterator[Any]:
    # Before the next row, loky replaces a worker that has grown too large. Its warning would confuse users.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
    work = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")
    driver = os.getpid()
    yield from work(joblib.delayed(_for_driver)(driver, *call) for call in calls)


def _for_driver(driver: int, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a call; in a worker process, end the process soon after its driver ends."""
    if os.getpid() != driver:
        _follow(driver)
    return function(*args, **kwargs)


@cache
def _follow(driver: int) -> None:
    """Ignore the driver's signals, and end this process soon after the driver ends for any reason, but not before.

    A thread polls the parent process. Linux's parent-death signal would come too early: it is sent when the *thread*
    that started the worker ends.
    """
    if threading.current_thread() is threading.main_thread():
        for name in _OF_THE_DRIVER:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
    if os.getppid() != driver:
        os._exit(1)

    def look() -> None:
        never = threading.Event()
        while os.getppid() == driver:
            never.wait(ORPHAN_SECONDS)
        os._exit(1)

    threading.Thread(target=look, name="orphan", daemon=True).start()


def _is_out_of_memory(error: Exception) -> bool:
    """Return True if an allocation failed. On a CPU, torch reports this only in the message of a RuntimeError."""
    if isinstance(error, OhmnasError):
        return False
    return isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY)
