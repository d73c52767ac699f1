"""Where workers run, and what they give back."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from ohmnas.errors import InvalidValueError, MissingDependencyError, OhmnasError

_WANT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "ALLOC_FAILED")
"""What torch says where it gets none."""
BACKENDS = ("local", "dask")
"""Where workers run: processes of this machine, or a Dask cluster."""


@contextmanager
def backend(name: str, scheduler: str | None = None, timeout: float = 30.0) -> Iterator[None]:
    """Let joblib run what is measured inside on processes of this machine, or on a Dask cluster.

    Args:
        name: one of `BACKENDS`.
        scheduler: address of the cluster's scheduler, for ``dask`` only.
        timeout: seconds to wait for the scheduler.

    Raises:
        InvalidValueError: the address is missing, or given where none is needed.
        MissingDependencyError: Dask is not installed.
        OhmnasError: the cluster does not answer.
    """
    if (name == "dask") != (scheduler is not None):
        raise InvalidValueError("--backend dask needs the --scheduler ADDRESS of a cluster, and only it takes one")
    if scheduler is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingDependencyError.of("a Dask cluster needs distributed", "cluster", error) from error
    try:
        client = Client(scheduler, timeout=timeout)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise OhmnasError(f"the scheduler {scheduler} does not answer: {error}") from error
    with client, joblib.parallel_config(backend="dask", client=client, wait_for_workers_timeout=60):
        yield


def results(calls: Iterable[Any], jobs: int) -> Iterator[Any]:
    """What calls return, each as soon as it is there, in whatever order.

    Args:
        calls: of `joblib.delayed`.
        jobs: worker processes; 1 is this process. `backend` around it may choose another place.

    Raises:
        OhmnasError: a worker process was killed, a cluster has none, or there was not enough memory.
    """
    # The next row starts a new worker where one has grown; loky tells the person, for whom nothing has happened.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
    work = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="2*n_jobs")
    try:
        yield from work(calls)
    except _worker_deaths() as error:
        raise OhmnasError(
            "a worker process was killed, perhaps for want of memory; all that was finished is stored: start the same "
            "command again, with fewer --jobs if memory is short"
        ) from error
    except TimeoutError as error:
        raise OhmnasError(f"the cluster has no worker that answers: {str(error).splitlines()[0]}") from error
    except (MemoryError, RuntimeError) as error:
        if not _is_want_of_memory(error):
            raise
        raise OhmnasError(
            "there was not enough memory to measure a network; all that was finished is stored: start the same "
            "command again with fewer --jobs (a campaign on CPUs with --max-row-gib records such networks as failed)"
        ) from error


def _is_want_of_memory(error: Exception) -> bool:
    """Whether an allocation failed: torch says so by errors of its own on a GPU, by text alone on a CPU."""
    if isinstance(error, OhmnasError):
        return False
    return isinstance(error, MemoryError) or any(words in str(error) for words in _WANT_OF_MEMORY)


def _worker_deaths() -> tuple[type[Exception], ...]:
    """What says that a worker died, of joblib and of Dask, which gives up after some."""
    distributed = sys.modules.get("distributed")
    return (TerminatedWorkerError, *([] if distributed is None else [distributed.KilledWorker]))
