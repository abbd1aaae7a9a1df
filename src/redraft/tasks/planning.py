"""`planning`: a shortest path in a small graph; its length first and then the path (or the other way round)."""

import random
import re
from dataclasses import dataclass
from itertools import pairwise

from redraft.tasks.dials import check_range, read_dials
from redraft.tasks.graphs import Graph, distances, layered, shortest_path, star
from redraft.tasks.holdout import draw_from_split
from redraft.tasks.phrasing import phrased
from redraft.tasks.problem import Dials, Language, Order, Problem, Split, Verdict, answer_and_rest
from redraft.tasks.puzzle_phrasing import PLANNING
from redraft.text.slots import Field

__all__ = ["Planning", "PlanningDials"]

MAX_STEPS = 8
"""Longest path."""

MAX_NODES = 16
"""Most nodes: with at most 20 edges a prompt keeps well within a context of 256."""

_SEPARATORS = (",", ";", "，", "；", "、", "\n")
_JOINTS = ("-", "-", "~", " - ")
_BETWEEN = re.compile(r"[\s>→,，–—-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanningDials:
    """How large the graphs are, and how far the goal."""

    min_nodes: int = 6
    """Fewest nodes of a layered graph; a long path may need more."""
    max_nodes: int = 12
    """Most nodes."""
    min_steps: int = 2
    """Shortest distance of start and goal."""
    max_steps: int = 5
    """Longest distance; uniform between the two."""
    star_percent: int = 20
    """Share of stars, from 0 to 100."""

    def __post_init__(self) -> None:
        check_range("planning nodes", self.min_nodes, self.max_nodes, least=3, most=MAX_NODES)
        check_range("planning star_percent", 0, self.star_percent, least=0, most=100)
        # A path needs a node more than it has steps, and a star two arms of that length.
        most = (self.max_nodes - 1) // 2 if self.star_percent else self.max_nodes - 1
        check_range("planning steps", self.min_steps, self.max_steps, least=1, most=min(most, MAX_STEPS))


class Planning:
    """Generator and verifier; see ``docs/tasks.md`` for the distribution."""

    name = "planning"

    def make_dials(self, **table: object) -> PlanningDials:
        """The generator's settings from a recipe's table."""
        return read_dials(PlanningDials, table, self.name)

    def generate(
        self,
        rng: random.Random,
        *,
        split: Split | None = "train",
        order: Order = "answer_first",
        language: Language | None = None,
        dials: Dials | None = None,
    ) -> Problem:
        """A random problem of one split (None: of any)."""
        dials = dials or PlanningDials()
        assert isinstance(dials, PlanningDials), f"planning takes PlanningDials, not {type(dials).__name__}"
        num_steps = rng.randint(dials.min_steps, dials.max_steps)
        is_star = rng.random() * 100 < dials.star_percent

        def draw() -> Graph:
            if is_star:
                return star(rng, dials.max_nodes, num_steps)
            return layered(rng, rng.randint(max(dials.min_nodes, num_steps + 1), dials.max_nodes), num_steps)

        return self._problem(draw_from_split(draw, _key, split), rng, order, language)

    def _problem(self, graph: Graph, rng: random.Random, order: Order, language: Language | None) -> Problem:
        joint = rng.choice(_JOINTS)
        pairs = [joint.join(rng.sample(edge, 2)) for edge in sorted(graph.edges)]
        rng.shuffle(pairs)
        path = shortest_path(graph)
        return phrased(
            PLANNING,
            {"edges": rng.choice(_SEPARATORS).join(pairs), "start": graph.start, "goal": graph.goal},
            task=self.name,
            key=_key(graph),
            answer=(Field(str(len(path) - 1), 1),),
            derivation=tuple(field for node in path for field in (Field(node, 1), Field(" -> ", 1)))[:-1],
            num_steps=len(path) - 1,
            order=order,
            language=language,
            rng=rng,
        )

    def verify(self, problem: Problem, text: str) -> Verdict:
        """Judges any text whatever: the length must be exact, and the path any shortest one, on one line."""
        graph = _graph(problem)
        wanted = distances(graph.edges, graph.start)[graph.goal]
        answer, rest = answer_and_rest(text, problem.order)
        path = _BETWEEN.split(rest[0].strip()) if len(rest) == 1 else []
        steps = [(min(step), max(step)) for step in pairwise(path)]
        num_true = sum(step in graph.edges for step in steps)
        answer_is_correct = answer == str(wanted)
        fault = ""
        if not path or path[0] != graph.start or path[-1] != graph.goal:
            fault = f"there is no path from {graph.start} to {graph.goal} on one line"
        elif num_true < len(steps):
            wrong = next(step for step in steps if step not in graph.edges)
            fault = f"there is no edge {wrong[0][:4]}-{wrong[1][:4]}"
        elif len(steps) != wanted:
            fault = f"the path has {len(steps)} steps, not {wanted}"
        return Verdict(
            answer_is_correct=answer_is_correct,
            is_derivation_valid=not fault,
            num_lines=len(steps),
            num_true_lines=num_true,
            reason=fault if answer_is_correct else f"the length is {answer[:20]!r}, not {wanted}",
        )


def _key(graph: Graph) -> str:
    """The edges in order and the two ends in order: asking for the way back asks the same."""
    edges = ",".join("".join(edge) for edge in sorted(graph.edges))
    return f"{Planning.name}:{edges}:{''.join(sorted((graph.start, graph.goal)))}"


def _graph(problem: Problem) -> Graph:
    """The graph of a problem; which of the two ends is the start is read from its answer."""
    edges, ends = problem.key.removeprefix(f"{Planning.name}:").split(":")
    _, (path,) = answer_and_rest(problem.answer_text, problem.order)
    start = path[0]
    goal = ends.replace(start, "", 1)
    return Graph(edges=frozenset((edge[0], edge[1]) for edge in edges.split(",")), start=start, goal=goal)
