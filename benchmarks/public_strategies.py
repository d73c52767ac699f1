"""Search strategies on measured labels: AnalogNAS-Bench as a lookup table, regret by number of queries.

python benchmarks/public_strategies.py [--seeds 50] [--slow-seeds 10] [--only NAME,..] [--plot FILE] [--json]

Needs ``pip install analog-nasbench 'ohmnas[strategies]'``. A query returns the measured labels of an architecture, the
mean over isomorphic cells. The problem: highest 1-day accuracy with at most 500,000 parameters and a variation from 60
seconds of at most 3 points. Regret is the difference in accuracy, in points, between the best architecture within these
limits and the best architecture queried so far. Only the first query of an architecture counts. For Pareto fronts of
accuracy, parameters and variation, the output shows the share of the whole front's hypervolume. `refine` repeatedly
fits the surrogate to all queried architectures, searches, and queries a batch (`ohmnas.refine`). `refine`, Bayesian
optimisation and Optuna's TPE get fewer seeds and up to 300 queries. pymoo and Optuna also run directly, on the six
operations. So does the regularised evolution of Syne Tune and NePS, for the single problem, if `syne-tune` and
`neural-pipeline-search` are installed; they know no limits, so the excess over a limit is added to the loss.
"""

from __future__ import annotations

import argparse
import io
import json
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.tables.analognasbench import NAME
from ohmnas.datasets.tables.table import MeasuredTable, read_table
from ohmnas.errors import InfeasibleError
from ohmnas.estimate import Estimate
from ohmnas.files import write_bytes_atomically
from ohmnas.refine.batch import LEADERS, candidates, choose
from ohmnas.search import Budget, Limits, Problem, search
from ohmnas.search.estimator import Estimator
from ohmnas.search.objectives import objective
from ohmnas.search.pareto import hypervolume
from ohmnas.search.strategies import STRATEGIES, strategy
from ohmnas.spaces.cells.genes import every, numbers
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.surrogate import Surrogate
from ohmnas.targets import Target

Values = npt.NDArray[np.float64]

QUERIES: Final = (10, 30, 100, 300, 1000)
MOST_PARAMS: Final = 500_000
MOST_VARIATION: Final = 0.03
FRONT: Final = ("accuracy_1d", "params", "avm_60s")
GENERATION: Final = 10
"""Offspring per generation: few, because a query is a training run."""
FIRST: Final = 20
"""Number of random architectures that `refine` queries first, as for a new task."""
SLOW: Final = ("bayesian", "refine", "Optuna TPE")
SLOW_QUERIES: Final = 300
MOST_REPEATS: Final = 10
"""Largest number of proposals per query: a repeated architecture is not a query."""
SEVERAL: Final = 2
"""Searches for fronts get the number of seeds divided by this."""


class Lookup(Estimator):
    """Measured labels, and the order in which they were queried."""

    def __init__(self, table: MeasuredTable) -> None:
        """Take the mean of each architecture's rows."""
        genes = list(table.space.gene_names)
        self._space, self._targets = table.space, table.targets
        means = table.measured.groupby(genes)[[one.name for one in table.targets]].mean()
        self.known = np.array(means.index.to_list(), dtype=np.int16)
        self.labels = means.to_numpy(dtype=np.float64)
        self._row = np.full(len(every()), -1)
        self._row[numbers(self.known)] = np.arange(len(self.known))
        self.asked: dict[int, None] = {}

    @property
    def space(self) -> Space:
        """The cells."""
        return self._space

    @property
    def targets(self) -> tuple[Target, ...]:
        """Targets of the table."""
        return self._targets

    def estimate(self, population: Population) -> Estimate:
        """Look up the labels; the architecture that cannot have a row gets the worst labels."""
        rows = self._row[numbers(population)]
        self.asked.update(dict.fromkeys(rows[rows >= 0].tolist()))
        worst = np.array([0.0, 1.0, 1.0])
        return Estimate(self.targets, np.where((rows >= 0)[:, None], self.labels[rows], worst))


class Asked:
    """The problems, their lookup table and the best possible results."""

    def __init__(self, table: MeasuredTable) -> None:
        """Prepare both problems."""
        self.lookup = Lookup(table)
        limits = Limits(max_params=MOST_PARAMS, most={"avm_60s": MOST_VARIATION})
        space = self.lookup.space
        self.single = Problem(space, self.lookup, limits, objective("accuracy", {}))
        self.fronts = Problem(space, self.lookup, limits, objective("accuracy", {}), pareto=FRONT)
        evaluation = self.fronts.evaluate(self.lookup.known)
        self.meets = evaluation.feasible & self.fronts.affordable(self.lookup.known)
        self.losses = np.clip(evaluation.losses, 0.0, 1.0)
        self.best = float(self.lookup.labels[self.meets, 0].max())
        self.whole = hypervolume(self.losses[self.meets])

    def run(self, method: Callable[[Problem, int, int], None], seed: int, queries: int, front: bool) -> list[int]:
        """Rows of the lookup table in the order in which a method queried them."""
        self.lookup.asked.clear()
        with suppress(InfeasibleError):  # the method found nothing within the limits
            method(self.fronts if front else self.single, seed, queries)
        return [*self.lookup.asked][:queries]

    def regret(self, rows: list[int], queries: int) -> float:
        """Regret in points after the first queries."""
        seen = np.array(rows[:queries], dtype=np.intp)
        seen = seen[self.meets[seen]]
        return 100.0 * (self.best - float(self.lookup.labels[seen, 0].max(initial=0.1)))  # 0.1: guessing

    def share(self, rows: list[int], queries: int) -> float:
        """Share of the front's hypervolume after the first queries."""
        seen = np.array(rows[:queries], dtype=np.intp)
        return hypervolume(self.losses[seen[self.meets[seen]]]) / self.whole if self.meets[seen].any() else 0.0


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default=NAME, help="the table, or a file in its format")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--slow-seeds", type=int, default=10)
    parser.add_argument("--queries", type=int, default=QUERIES[-1])
    parser.add_argument("--only", default=",".join(one for one in METHODS if one not in FURTHER), help="methods")
    parser.add_argument("--plot", type=Path, help="PNG of regret and hypervolume by queries")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    asked = Asked(read_table(arguments.table))
    found = {}
    for name in arguments.only.split(","):
        slow = name in SLOW
        seeds = arguments.slow_seeds if slow else arguments.seeds
        found[name] = _measured(asked, METHODS[name], seeds, min(arguments.queries, SLOW_QUERIES if slow else 10**9))
    summary = _summary(asked, found, arguments)
    if arguments.plot:
        _plot(found, arguments.plot)
    if arguments.json:
        print(json.dumps(summary))
        return
    _show(summary)


def _measured(asked: Asked, method: Callable[[Problem, int, int], None], seeds: int, queries: int) -> dict[str, Any]:
    """Regret and share of the hypervolume: ``(seeds, points)``, and the seconds of a run."""
    points = [point for point in np.unique(np.geomspace(10, queries, 25).astype(int)).tolist() if point <= queries]
    points = sorted({*points, *(one for one in QUERIES if one <= queries)})
    start = time.perf_counter()
    runs = [asked.run(method, seed, queries, front=False) for seed in range(seeds)]
    seconds = (time.perf_counter() - start) / seeds
    several = 0 if method in (_syne_tune, _neps) else max(seeds // SEVERAL, 1)
    fronts = [asked.run(method, seed, queries, front=True) for seed in range(several)]
    return {
        "points": points,
        "regret": [[asked.regret(rows, point) for point in points] for rows in runs],
        "hypervolume": [[asked.share(rows, point) for point in points] for rows in fronts],
        "seconds": seconds,
    }


def _summary(asked: Asked, found: dict[str, Any], arguments: argparse.Namespace) -> dict[str, Any]:
    """Mean and standard error of each measure at `QUERIES`, and the lowest regrets."""
    methods: dict[str, Any] = {}
    for name, run in found.items():
        methods[name] = {"seeds": len(run["regret"]), "seconds": round(run["seconds"], 2)}
        for kind in ("regret", "hypervolume"):
            values = dict(zip(run["points"], np.array(run[kind]).T, strict=True)) if run[kind] else {}
            methods[name][kind] = {
                str(one): [round(float(values[one].mean()), 4), round(float(_error(values[one])), 4)]
                for one in QUERIES
                if one in values
            }
    lowest = {}
    for one in QUERIES:
        means = {name: row["regret"][str(one)][0] for name, row in methods.items() if str(one) in row["regret"]}
        if means:
            lowest[str(one)] = min(means, key=lambda name: means[name])
    return {
        "architectures": len(asked.lookup.known),
        "within_limits": int(asked.meets.sum()),
        "best_accuracy": asked.best,
        "lowest_regret": lowest,
        "methods": methods,
        "generation": GENERATION,
        "queries": arguments.queries,
    }


def _error(values: Values) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def _show(summary: dict[str, Any]) -> None:
    print(
        f"{summary['within_limits']:,} of {summary['architectures']:,} architectures are within the limits; the best "
        f"has {100 * summary['best_accuracy']:.2f} %"
    )
    for kind, title in (("regret", "regret in points"), ("hypervolume", "share of the front's hypervolume")):
        print(f"\n{title} ± standard error")
        print(f"{'queries':20}{'seeds':>6}{''.join(f'{one:>17,}' for one in QUERIES)}{'seconds':>9}")
        rows = summary["methods"]
        order = sorted(rows, key=lambda name: rows[name][kind].get("100", [9.0])[0], reverse=kind != "regret")
        for name in order:
            row = rows[name]
            if not row[kind]:
                continue
            cells = [row[kind].get(str(one)) for one in QUERIES]
            shown = "".join(f"{'-' if cell is None else f'{cell[0]:.3f} ± {cell[1]:.3f}':>17}" for cell in cells)
            print(f"{name:20}{row['seeds']:>6}{shown}{row['seconds']:>9.2f}")
    print(f"\nlowest regret by queries: {summary['lowest_regret']}")


def _own(name: str) -> Callable[[Problem, int, int], None]:
    """Return a method that runs a strategy of ohmnas."""

    def run(problem: Problem, seed: int, queries: int) -> None:
        if name == "rank":  # a single sample
            search(problem, strategy(name), seed, Budget(queries, 0, evaluations=queries))
            return
        search(problem, strategy(name), seed, Budget(GENERATION, queries, evaluations=queries, patience=queries))

    return run


def _refine(problem: Problem, seed: int, queries: int) -> None:
    """Repeat: fit the surrogate to all queried architectures, choose a batch with it, and query the batch."""
    lookup, rng = problem.estimator, np.random.default_rng(seed)
    assert isinstance(lookup, Lookup)
    known = problem.sample(FIRST, rng)
    while True:
        evaluation = problem.evaluate(known)
        if len(lookup.asked) >= queries:
            return
        variation = lookup.targets[2].name
        surrogate = Surrogate(lookup.space, std_floor=1e-4, variation=variation, seed=seed)
        learned = Problem(
            lookup.space,
            surrogate.fit(known, evaluation.estimate.values).model_,
            problem.limits,
            problem.objective,
            pareto=problem.pareto,
        )
        order = evaluation.order()
        leaders = known[order[problem.affordable(known)[order]]]
        pool = candidates(learned, leaders[:LEADERS], known, seed + len(known), Budget(100, 10))
        batch = GENERATION if len(known) < 100 else 4 * GENERATION
        chosen = choose(learned, pool, learned.evaluate(pool), known, leaders, min(batch, queries - len(known)))
        if not chosen:
            return
        known = np.concatenate([known, pool[[row for row, _ in chosen]]])


def _pymoo(problem: Problem, seed: int, queries: int) -> None:
    """Pymoo's genetic algorithm, or NSGA-II for fronts, on six integers."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.algorithms.soo.nonconvex.ga import GA
    from pymoo.core.problem import Problem as TheirProblem
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.optimize import minimize

    several = bool(problem.pareto)

    class Cells(TheirProblem):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(n_var=6, n_obj=len(FRONT) if several else 1, n_ieq_constr=2, xl=0, xu=4, vtype=int)

        def _evaluate(self, x: Any, out: dict[str, Any], *_: Any, **__: Any) -> None:
            accuracy, params, variation = _query(problem, np.asarray(x))
            out["F"] = np.column_stack([-accuracy, params / 1e6, variation]) if several else -accuracy[:, None]
            out["G"] = np.column_stack([params / MOST_PARAMS - 1.0, variation - MOST_VARIATION])

    common: dict[str, Any] = {
        "pop_size": 4 * GENERATION,
        "n_offsprings": GENERATION,
        "sampling": IntegerRandomSampling(),
        "crossover": SBX(prob=0.9, eta=3.0, vtype=float, repair=RoundingRepair()),
        "mutation": PM(prob=1.0, eta=3.0, vtype=float, repair=RoundingRepair()),
        "eliminate_duplicates": True,
    }
    algorithm = NSGA2(**common) if several else GA(**common)
    minimize(Cells(), algorithm, ("n_eval", 4 * queries), seed=seed, verbose=False)


def _optuna(kind: str) -> Callable[[Problem, int, int], None]:
    def run(problem: Problem, seed: int, queries: int) -> None:
        """Optuna's sampler on six categories, with constraints."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        lookup = problem.estimator
        assert isinstance(lookup, Lookup)
        several = bool(problem.pareto)

        def misses(trial: Any) -> Any:
            return trial.user_attrs["misses"]

        def objective_of(trial: Any) -> Any:
            codes = [trial.suggest_categorical(name, range(5)) for name in lookup.space.gene_names]
            accuracy, params, variation = (float(one[0]) for one in _query(problem, np.array([codes])))
            trial.set_user_attr("misses", [params / MOST_PARAMS - 1.0, variation - MOST_VARIATION])
            return (accuracy, params, variation) if several else accuracy

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # experimental arguments
            sampler = (
                optuna.samplers.RandomSampler(seed)
                if kind == "random"
                else optuna.samplers.TPESampler(seed=seed, multivariate=True, constraints_func=misses)
            )
            directions: Any = ["maximize", "minimize", "minimize"] if several else ["maximize"]
            study = optuna.create_study(directions=directions, sampler=sampler)
            for _ in range(4):  # a trial of an architecture that was queried before is not a query
                if (missing := queries - len(lookup.asked)) > 0:
                    study.optimize(objective_of, n_trials=missing)

    return run


def _penalised(problem: Problem, codes: Sequence[int]) -> float:
    """Loss for methods without limits: minus the accuracy, plus the excess over each limit as a share of it."""
    accuracy, params, variation = (float(one[0]) for one in _query(problem, np.array([codes])))
    return -accuracy + max(params / MOST_PARAMS - 1.0, 0.0) + max(variation / MOST_VARIATION - 1.0, 0.0)


def _syne_tune(problem: Problem, seed: int, queries: int) -> None:
    """Syne Tune's regularised evolution on six categories."""
    from syne_tune.config_space import choice
    from syne_tune.optimizer.schedulers.searchers.regularized_evolution import RegularizedEvolution

    lookup = problem.estimator
    assert isinstance(lookup, Lookup)
    np.random.seed(seed)  # noqa: NPY002 - its first population uses the global generator
    names = lookup.space.gene_names
    searcher = RegularizedEvolution(
        {name: choice([*range(5)]) for name in names},
        population_size=4 * GENERATION,
        sample_size=GENERATION,
        random_seed=seed,
    )
    for number in range(MOST_REPEATS * queries):
        if len(lookup.asked) >= queries:
            return
        config = searcher.suggest()
        searcher.on_trial_complete(number, config, _penalised(problem, [config[name] for name in names]))


def _neps(problem: Problem, seed: int, queries: int) -> None:
    """NePS's regularised evolution on six categories."""
    import random

    import neps
    import torch
    from neps.optimizers.algorithms import neps_regularized_evolution

    lookup = problem.estimator
    assert isinstance(lookup, Lookup)
    random.seed(seed)
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - it uses the global generators
    names = lookup.space.gene_names
    kinds = {name: neps.Categorical(choices=tuple(range(5))) for name in names}
    space = type("Operations", (neps.PipelineSpace,), kinds)()
    method = neps.AskAndTell(
        neps_regularized_evolution(space, population_size=4 * GENERATION, tournament_size=GENERATION)
    )
    for _ in range(MOST_REPEATS * queries):
        if len(lookup.asked) >= queries:
            return
        trial = method.ask()
        values = {key.split(".")[1].partition("::")[0]: value for key, value in trial.config.items()}
        method.tell(trial, _penalised(problem, [int(values[name]) for name in names]))


def _query(problem: Problem, codes: npt.NDArray[Any]) -> tuple[Values, Values, Values]:
    """Accuracy, parameters and variation of ``(n, 6)`` operations.

    Only architectures within the limit on costs are queried; the strategies of ohmnas check costs first, too.
    """
    population = problem.space.repair(codes.astype(np.int64))
    affordable = problem.affordable(population)
    accuracy, variation = np.zeros(len(population)), np.ones(len(population))
    if affordable.any():
        estimate = problem.estimator.estimate(population[affordable])
        accuracy[affordable], variation[affordable] = estimate.values[:, 0], estimate.values[:, 2]
    return accuracy, problem.space.params(population).astype(np.float64), variation


def _plot(found: dict[str, Any], path: Path) -> None:
    """Mean regret and share of the hypervolume over queries."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 4.6), layout="constrained")
    for panel, kind, label in zip(
        figure.subplots(1, 2),
        ("regret", "hypervolume"),
        ("mean regret (points of 1-day accuracy)", "share of the front's hypervolume"),
        strict=True,
    ):
        for number, (name, run) in enumerate(found.items()):
            style = "--" if number >= 10 else "-"
            if run[kind]:
                panel.plot(
                    run["points"], np.mean(run[kind], axis=0), style, label=name, color=f"C{number % 10}", lw=1.4
                )
        panel.set(xscale="log", xlabel="architectures queried", ylabel=label)
        if kind == "regret":
            panel.set(yscale="log")
            panel.legend(fontsize="x-small", frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    write_bytes_atomically(path, picture.getvalue())


METHODS: Final[dict[str, Callable[[Problem, int, int], None]]] = {
    **{name: _own(name) for name in STRATEGIES.own},
    "refine": _refine,
    "pymoo": _pymoo,
    "Optuna random": _optuna("random"),
    "Optuna TPE": _optuna("tpe"),
    "Syne Tune evolution": _syne_tune,
    "NePS evolution": _neps,
}
FURTHER: Final = ("Syne Tune evolution", "NePS evolution")
"""Methods that run only if they are chosen, because their packages are not dependencies."""


if __name__ == "__main__":
    main()
