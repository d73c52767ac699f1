"""Where a campaign's workers run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import joblib

from ohmnas.errors import InvalidValueError, MissingDependencyError, OhmnasError

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
