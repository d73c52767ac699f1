"""Where workers run, and what they give back."""

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

from ohmnas.datasets.cluster import Cluster, connected
from ohmnas.errors import InvalidValueError, MissingDependencyError, OhmnasError

_WANT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "ALLOC_FAILED")
"""What torch says where it gets none."""
BACKENDS = ("local", "dask")
"""Where workers run: processes of this machine, or a Dask cluster."""
ORPHAN_SECONDS = 1.0
"""Between two looks of a worker at whether its driver still lives."""
_OF_THE_DRIVER = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that a terminal or a batch system sends to all processes, and that only the driver answers."""


@contextmanager
def backend(
    name: str, scheduler: str | None = None, timeout: float = 30.0, say: Callable[[str], None] = lambda _: None
) -> Iterator[Cluster | None]:
    """What `results` needs to run calls elsewhere: a Dask cluster, or None for processes of this machine.

    Args:
        name: one of `BACKENDS`.
        scheduler: address of the cluster's scheduler, for ``dask`` only.
        timeout: seconds to wait for the scheduler.
        say: called with a sentence now and then while the cluster has no workers.

    Raises:
        InvalidValueError: the address is missing, or given where none is needed.
        MissingDependencyError: Dask is not installed.
        OhmnasError: the cluster does not answer.
    """
    if (name == "dask") != (scheduler is not None):
        raise InvalidValueError("--backend dask needs the --scheduler ADDRESS of a cluster, and only it takes one")
    if scheduler is None:
        yield None
        return
    with connected(scheduler, timeout, say) as cluster:
        yield cluster


def results(calls: Iterable[Any], jobs: int, cluster: Cluster | None = None) -> Iterator[Any]:
    """What calls return, each as soon as it is there, in whatever order.

    Args:
        calls: of `joblib.delayed`.
        jobs: worker processes of this machine; 1 is this process.
        cluster: does the calls instead, with all workers that it has.

    Raises:
        MissingDependencyError: a worker cannot import what it needs.
        OhmnasError: a worker process was killed, a scheduler is gone, or there was not enough memory.
    """
    try:
        yield from _local(calls, jobs) if cluster is None else cluster.results(calls)
    except TerminatedWorkerError as error:
        raise OhmnasError(
            "a worker process was killed, perhaps for want of memory; all that was finished is stored: start the same "
            "command again, with fewer --jobs if memory is short"
        ) from error
    except ImportError as error:
        if isinstance(error, OhmnasError):
            raise
        raise MissingDependencyError.of("a worker lacks what it needs", "train", error) from error
    except (MemoryError, RuntimeError) as error:
        if not _is_want_of_memory(error):
            raise
        raise OhmnasError(
            "there was not enough memory to measure a network; all that was finished is stored: start the same "
            "command again with fewer --jobs (a campaign on CPUs with --max-row-gib records such networks as failed)"
        ) from error


def _local(calls: Iterable[Any], jobs: int) -> Iterator[Any]:
    # The next row starts a new worker where one has grown; loky tells the person, for whom nothing has happened.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
    work = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")
    driver = os.getpid()
    yield from work(joblib.delayed(_for_driver)(driver, *call) for call in calls)


def _for_driver(driver: int, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Do a call, and where that is in a worker process, let it not outlive its driver."""
    if os.getpid() != driver:
        _follow(driver)
    return function(*args, **kwargs)


@cache
def _follow(driver: int) -> None:
    """Make this process end soon after the driver does, however that does, and not before.

    A thread that looks, and not Linux's death signal: that comes when the *thread* ends that started the worker.
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


def _is_want_of_memory(error: Exception) -> bool:
    """Whether an allocation failed: torch says so by errors of its own on a GPU, by text alone on a CPU."""
    if isinstance(error, OhmnasError):
        return False
    return isinstance(error, MemoryError) or any(words in str(error) for words in _WANT_OF_MEMORY)
