"""A Ray cluster, this machine's own or one that runs already: an actor for each processor asked for.

The bars are put into the object store once and mapped by all actors of a node. Points are handed out as to processes:
two at a time, a dead actor is replaced, a point that killed two is given up. Every node needs this same version of
the package; the source of a strategy file travels with the work. Needs the extra ``distributed``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from threadpoolctl import threadpool_limits

from haetae import __version__
from haetae.backtest.sweep.executors import Tell
from haetae.backtest.sweep.points import Job, Outcome, Status
from haetae.backtest.sweep.processes import AHEAD, LIVES
from haetae.backtest.sweep.work import Arrays, Recipe, Run, Work
from haetae.domain.errors import ConfigError, HaetaeError, Text


class Cluster:
    """Actors on a Ray cluster; an empty address starts one on this machine and ends it again."""

    name = "ray"

    def __init__(self, address: str, workers: int | None, tell: Tell) -> None:
        """Connect to nothing yet; without ``workers`` every processor of the cluster gets one."""
        self._address = address
        self._count = workers
        self._tell = tell
        self._ray: Any = None
        self._work: Work | None = None
        self._shared: Any = None
        self._actors: dict[Any, deque[Job]] = {}

    def map(self, work: Work, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Yield outcomes as actors finish them."""
        waiting: deque[Job] = deque(jobs)
        if not waiting:
            return
        self._open(work)
        running: dict[Any, Any] = {}
        deaths: dict[str, int] = {}
        while waiting or running:
            for actor, busy in sorted(self._actors.items(), key=lambda item: len(item[1])):
                while waiting and len(busy) < AHEAD:
                    busy.append(waiting.popleft())
                    running[actor.run.remote(busy[-1])] = actor
            ready, _ = self._ray.wait(list(running), num_returns=1)
            actor = running[ready[0]]
            try:
                outcome = self._ray.get(ready[0])
            except self._ray.exceptions.RayActorError as death:
                lost = self._bury(actor, waiting, deaths, str(death))
                running = {ref: owner for ref, owner in running.items() if owner is not actor}
                if lost is not None:
                    yield lost
                continue
            except self._ray.exceptions.RayTaskError as fault:
                raise _cause(fault) from fault
            del running[ready[0]]
            self._actors[actor].popleft()
            yield outcome

    def _open(self, work: Work) -> None:
        if self._work is work:
            return
        self._connect()
        self._actors.clear()
        self._work = work
        self._shared = self._ray.put(dict(work.arrays))
        free = int(self._ray.cluster_resources().get("CPU", 1))
        for _ in range(min(self._count or free, free)):
            self._hire()

    def _connect(self) -> None:
        if self._ray is not None:
            return
        ray = _library()
        if self._address:
            options: dict[str, Any] = {"address": self._address}
        else:
            options = {"num_cpus": self._count, "include_dashboard": False, "address": "local"}
        try:
            ray.init(log_to_driver=False, logging_level="warning", **options)
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as fault:
            raise ConfigError(
                Text(ko="Ray 클러스터에 연결하지 못했습니다", en="the Ray cluster cannot be reached"),
                expected=Text(ko="실행 중인 클러스터의 주소", en="the address of a running cluster"),
                found=f"{self._address or 'local'}: {str(fault).strip().splitlines()[0][:200]}",
                next_step="ray start --head; --executor ray:HOST:6379",
            ) from fault
        self._ray = ray

    def _hire(self) -> None:
        assert self._work is not None
        made = self._ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(Bench)
        self._actors[made.remote(self._work.recipe, self._shared, __version__)] = deque()

    def _bury(self, actor: Any, waiting: deque[Job], deaths: dict[str, int], said: str) -> Outcome | None:
        suspect, *others = self._actors.pop(actor)
        deaths[suspect.key] = deaths.get(suspect.key, 0) + 1
        reason = said.strip().splitlines()[0][:200]
        self._tell(f"actor ended ({reason}) over {dict(suspect.parameters)}; a new one takes its place")
        self._hire()
        waiting.extendleft(reversed(others))
        if deaths[suspect.key] < LIVES:
            waiting.appendleft(suspect)
            return None
        return Outcome(suspect, Status.DIED, reason=f"its actor ended {LIVES} times: {reason}")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Let the actors go and leave the cluster; one of our own ends."""
        self._actors.clear()
        self._shared = self._work = None
        if self._ray is not None:
            self._ray.shutdown()
            self._ray = None


class Bench:
    """What an actor holds: the work, opened by its first job so that an error in that is the job's."""

    def __init__(self, recipe: Recipe, arrays: Arrays, version: str) -> None:
        """Keep what was sent."""
        self._recipe, self._arrays, self._version = recipe, arrays, version
        self._run: Run | None = None

    def run(self, job: Job) -> Outcome:
        """Return what came of a job; a node with another version of the package is refused."""
        if self._version != __version__:
            raise ConfigError(
                Text(ko="클러스터 노드의 해태 버전이 다릅니다", en="a node of the cluster has another version"),
                expected=self._version,
                found=__version__,
                next_step=f"pip install haetae=={self._version}",
            )
        with threadpool_limits(limits=1):
            if self._run is None:
                self._run = self._recipe.open(self._arrays)
            return self._run(job)


def _cause(fault: Any) -> Exception:
    inner = fault.cause
    return inner if isinstance(inner, HaetaeError) else fault


def _library() -> Any:
    try:
        import ray
    except ImportError as fault:
        raise ConfigError(
            Text(ko="Ray가 설치되어 있지 않습니다", en="Ray is not installed"),
            expected="ray",
            found=str(fault),
            next_step='pip install "haetae[distributed]"',
        ) from fault
    return ray
