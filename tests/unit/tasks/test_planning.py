"""`planning`: the distance asked for, every shortest path accepted and no other, stars as described."""

import random
import re
from collections import Counter
from itertools import pairwise, permutations

import pytest

from redraft.errors import ConfigError
from redraft.tasks import Planning, split_of
from redraft.tasks.graphs import Graph, distances, layered, shortest_path, star
from redraft.tasks.problem import Problem

TASK = Planning()


def asked(problem: Problem) -> Graph:
    """The graph, read back out of a prompt: single letters, first in pairs and then two alone."""
    edges = re.findall(r"(?<![A-Za-z])([A-Z])(?: - |-|~)([A-Z])(?![A-Za-z])", problem.prompt)
    rest = re.sub(r"(?<![A-Za-z])[A-Z](?: - |-|~)[A-Z](?![A-Za-z])", "", problem.prompt)
    start, goal = re.findall(r"(?<![A-Za-z])[A-Z](?![A-Za-z])", rest)
    return Graph(edges=frozenset((min(edge), max(edge)) for edge in edges), start=start, goal=goal)


def all_paths(graph: Graph, longest: int) -> list[list[str]]:
    """Every path without a node twice, by trying all of them."""
    nodes = sorted({node for edge in graph.edges for node in edge} - {graph.start, graph.goal})
    paths = [[graph.start, *between, graph.goal] for count in range(longest) for between in permutations(nodes, count)]
    return [path for path in paths if all((min(step), max(step)) in graph.edges for step in pairwise(path))]


def test_exactly_the_shortest_paths_pass() -> None:
    rng = random.Random(1)
    dials = TASK.make_dials(min_nodes=6, max_nodes=8, max_steps=3)
    num_shortest: list[int] = []
    for _ in range(25):
        problem = TASK.generate(rng, dials=dials)
        graph = asked(problem)
        paths = all_paths(graph, 4)
        shortest = min(len(path) for path in paths) - 1
        assert shortest == problem.num_steps
        for path in paths:
            verdict = TASK.verify(problem, f"{shortest}\n{' -> '.join(path)}")
            assert verdict.is_correct == (len(path) - 1 == shortest), path
            assert verdict.num_true_lines == verdict.num_lines == len(path) - 1
        num_shortest.append(sum(len(path) - 1 == shortest for path in paths))
    assert max(num_shortest) > 1, "some problems have several answers"


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_prompt_asks_for_what_the_key_holds_out(split) -> None:
    rng = random.Random(2)
    for order in ("answer_first", "derivation_first"):
        for _ in range(40):
            problem = TASK.generate(rng, split=split, order=order)
            graph = asked(problem)
            edges = ",".join(sorted("".join(edge) for edge in graph.edges))
            assert problem.key == f"planning:{edges}:{''.join(sorted(graph.start + graph.goal))}"
            assert split_of(problem.key) == split
            lines = problem.answer_text.split("\n")
            path = lines[1 if order == "answer_first" else 0].split(" -> ")
            assert (path[0], path[-1]) == (graph.start, graph.goal)


def path_problem() -> tuple[Problem, str, list[str]]:
    problem = TASK.generate(random.Random(3), dials=TASK.make_dials(min_steps=4, max_steps=4))
    length, path = problem.answer_text.split("\n")
    return problem, length, path.split(" -> ")


def test_the_judge() -> None:
    problem, length, path = path_problem()
    for joint in (" -> ", "->", " → ", "-", ", ", " "):
        assert TASK.verify(problem, f"{length}\n{joint.join(path)}").is_correct
    for text, reason in [
        ("5\n" + " -> ".join(path), "the length is '5', not 4"),
        ("4\n" + " -> ".join(path[::-1]), "no path"),
        ("4\n" + " -> ".join(path[:-1]), "no path"),
        ("4\n" + " -> ".join([path[2], *path[1:]]), "no path"),
        ("4\n" + " -> ".join([*path[:-1], path[-3]]), "no path"),
        ("4\n" + " -> ".join([path[0], path[-1]]), "no edge"),
        ("4\n" + " -> ".join([*path[:2], path[0], *path[1:]]), "6 steps, not 4"),
        ("4\n" + " -> ".join(path) + "\n" + " -> ".join(path), "no path"),
        ("4", "no path"),
        ("", "the length"),
        ("4\n" + "A -> " * 3000, "no"),
    ]:
        verdict = TASK.verify(problem, text)
        assert not verdict.is_correct
        assert reason in verdict.reason, (text[:60], verdict)


def test_graphs_are_connected_and_have_their_distance() -> None:
    rng = random.Random(4)
    for _ in range(300):
        num_steps = rng.randint(1, 8)
        num_nodes = rng.randint(num_steps + 1, 16)
        graph = layered(rng, num_nodes, num_steps)
        assert num_nodes - 1 <= len(graph.edges) <= 20
        found = distances(graph.edges, graph.start)
        assert len(found) == num_nodes
        assert found[graph.goal] == num_steps
        assert len(shortest_path(graph)) == num_steps + 1


def test_stars_have_equal_arms_and_the_goal_at_an_end() -> None:
    rng = random.Random(5)
    arms: Counter[int] = Counter()
    for _ in range(200):
        graph = star(rng, 13, 3)
        degrees = Counter(node for edge in graph.edges for node in edge)
        reach = distances(graph.edges, graph.start)
        ends = [node for node, degree in degrees.items() if degree == 1]
        assert graph.goal in ends
        assert {reach[end] for end in ends} == {3}
        assert degrees[graph.start] == len(ends)
        assert len(graph.edges) == 3 * len(ends)
        arms[len(ends)] += 1
    assert set(arms) == {2, 3, 4}


def test_the_share_of_stars_is_a_dial() -> None:
    rng = random.Random(6)
    for percent in (0, 100):
        dials = TASK.make_dials(star_percent=percent, min_steps=3, max_steps=3, min_nodes=12)
        graphs = [asked(TASK.generate(rng, dials=dials)) for _ in range(40)]
        trees = sum(len(graph.edges) == len(distances(graph.edges, graph.start)) - 1 for graph in graphs)
        goals = [Counter(node for edge in graph.edges for node in edge)[graph.goal] for graph in graphs]
        assert (trees == 40 and set(goals) == {1}) == (percent == 100)


@pytest.mark.parametrize(
    "table",
    [{"max_nodes": 17}, {"min_steps": 0}, {"max_steps": 6}, {"star_percent": 101}, {"max_nodes": 8, "max_steps": 4}],
)
def test_impossible_dials_are_refused(table: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="planning"):
        TASK.make_dials(**table)


def test_long_paths_need_no_stars() -> None:
    dials = TASK.make_dials(star_percent=0, max_nodes=16, min_steps=8, max_steps=8)
    problem = TASK.generate(random.Random(7), dials=dials)
    assert problem.num_steps == 8
    assert TASK.verify(problem, problem.answer_text).is_correct
