"""Which jobs come before which."""

from hypothesis import given
from hypothesis import strategies as st

from jober.workflow import Graph, Links

NAMES = [f"j{n}" for n in range(8)]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    some = st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple)
    return Graph({name: Links(needs=draw(some), on_success=draw(some)) for name in NAMES})


@given(graphs())
def test_there_is_a_loop_or_an_order_in_which_each_comes_after_those_before_it(
    graph: Graph,
) -> None:
    loop = graph.loop()
    if loop:
        assert loop[0] == loop[-1] and len(set(loop)) == len(loop) - 1
        for earlier, later in zip(loop, loop[1:], strict=False):
            assert later in graph.after(earlier)
    else:
        order = graph.order()
        assert sorted(order) == sorted(NAMES)
        for place, name in enumerate(order):
            assert not set(graph.before(name)) - set(order[:place])


def test_a_chain_of_thousands_is_ordered_without_an_end_of_the_stack() -> None:
    names = [f"c{n}" for n in range(5000)]
    links = {
        name: Links(needs=(names[n + 1],) if n + 1 < len(names) else ())
        for n, name in enumerate(names)
    }
    graph = Graph(links)
    assert graph.order() == tuple(reversed(names))
    assert graph.loop() is None
    links[names[-1]] = Links(needs=(names[0],))
    loop = Graph(links).loop()
    assert loop is not None and len(loop) == 5001
