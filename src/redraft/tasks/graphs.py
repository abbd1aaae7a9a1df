"""Small undirected graphs with a start and a goal at a given distance, and their shortest paths.

A *layered* graph is grown level by level from the start, so its distance is known; a *star* has arms of one length, and
the goal ends one of them: every first step looks alike, and only looking ahead from the goal tells which is right.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["MAX_EDGES", "NODES", "Graph", "distances", "layered", "shortest_path", "star"]

NODES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Names of nodes; each is one token."""

MAX_EDGES = 20
"""Most edges: a prompt of about 130 tokens."""

MAX_ARMS = 5
"""Most arms of a star."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """Edges and the two nodes that are asked about."""

    edges: frozenset[tuple[str, str]]
    """Pairs of nodes, each in alphabetical order."""
    start: str
    """Where the path begins."""
    goal: str
    """Where it ends."""


def distances(edges: Iterable[tuple[str, str]], start: str) -> dict[str, int]:
    """Number of steps from a node to each node that can be reached.

    >>> distances({("A", "B"), ("B", "C")}, "A")
    {'A': 0, 'B': 1, 'C': 2}

    Args:
        edges: Pairs of nodes.
        start: The node.

    Returns:
        By node, in order of distance.
    """
    neighbours: dict[str, set[str]] = {start: set()}
    for first, second in edges:
        neighbours.setdefault(first, set()).add(second)
        neighbours.setdefault(second, set()).add(first)
    found = {start: 0}
    queue = [start]
    for node in queue:
        for other in sorted(neighbours[node] - found.keys()):
            found[other] = found[node] + 1
            queue.append(other)
    return found


def shortest_path(graph: Graph) -> list[str]:
    """The shortest path that comes first in the alphabet.

    Args:
        graph: A graph in which the goal can be reached.

    Returns:
        Its nodes, from the start to the goal.
    """
    left = distances(graph.edges, graph.goal)
    path = [graph.start]
    while path[-1] != graph.goal:
        here = path[-1]
        ends = ({first, second} for first, second in graph.edges if here in (first, second))
        path.append(min(node for pair in ends for node in pair - {here} if left[node] < left[here]))
    return path


def layered(rng: random.Random, num_nodes: int, num_steps: int) -> Graph:
    """A connected graph whose start and goal lie a given number of steps apart.

    Args:
        rng: Chooses everything else.
        num_nodes: Number of nodes, more than the steps.
        num_steps: Distance of start and goal.

    Returns:
        The graph, with up to half as many edges more than a tree has.
    """
    # 1. A level for each node: one on each up to the goal's, the others anywhere up to one beyond it.
    levels = [*range(num_steps + 1), *(rng.randint(1, num_steps + 1) for _ in range(num_nodes - num_steps - 1))]
    # 2. Each node hangs on one of the level before; so its level is its distance, as no edge may skip a level.
    edges = {
        (rng.choice([other for other in range(num_nodes) if levels[other] == levels[node] - 1]), node)
        for node in range(1, num_nodes)
    }
    # 3. More edges, within a level or to the next.
    possible = [
        (first, second)
        for first in range(num_nodes)
        for second in range(num_nodes)
        if (levels[second] == levels[first] + 1 or (levels[first] == levels[second] and first < second))
        and (first, second) not in edges
    ]
    most = min(num_nodes // 2, MAX_EDGES - len(edges), len(possible))
    edges |= set(rng.sample(possible, rng.randint(0, most)))
    return _named(rng, edges, num_nodes, num_steps)


def star(rng: random.Random, max_nodes: int, num_steps: int) -> Graph:
    """A star: the start in the middle, the goal at the end of one of its arms.

    Args:
        rng: Chooses the number of arms and the names.
        max_nodes: Most nodes; two arms must fit.
        num_steps: Length of each arm.

    Returns:
        The graph, a tree.
    """
    num_arms = rng.randint(2, min(MAX_ARMS, (min(max_nodes, MAX_EDGES + 1) - 1) // num_steps))
    edges = {
        (0 if step == 0 else arm * num_steps + step, arm * num_steps + step + 1)
        for arm in range(num_arms)
        for step in range(num_steps)
    }
    return _named(rng, edges, num_arms * num_steps + 1, num_steps)


def _named(rng: random.Random, edges: set[tuple[int, int]], num_nodes: int, goal: int) -> Graph:
    """Letters for numbers; node 0 is the start."""
    names = rng.sample(NODES, num_nodes)
    pairs = ((names[first], names[second]) for first, second in edges)
    return Graph(
        edges=frozenset((min(pair), max(pair)) for pair in pairs),
        start=names[0],
        goal=names[goal],
    )
