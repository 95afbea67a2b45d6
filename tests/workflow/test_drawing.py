"""The graph for people."""

from xml.etree import ElementTree

from jober.workflow import Graph, Links, svg, tree

SHOP = Graph(
    {
        "extract": Links(on_failure=("alarm",)),
        "clean": Links(needs=("extract",)),
        "load": Links(needs=("clean", "backup")),
        "backup": Links(),
        "report": Links(wait_for=("load",)),
        "alarm": Links(),
        "alone": Links(),
    }
)
NAMES = SHOP.order(SHOP.linked)


def test_a_tree_tells_below_each_job_what_comes_after_it_and_why() -> None:
    assert tree(SHOP, NAMES) == [
        "extract",
        "├─ alarm  (on failure)",
        "└─ clean  (needs it)",
        "   └─ load  (needs it)",
        "      └─ report  (waits for it)",
        "backup",
        "└─ load  (needs it)  …as above",
    ]


def test_around_a_job_is_what_comes_before_and_after_it_alone() -> None:
    assert SHOP.around("clean") == ("extract", "clean", "load", "report")
    assert SHOP.around("alone") == ("alone",)
    assert tree(SHOP, SHOP.around("alone")) == ["alone"]


def test_a_picture_has_a_box_for_each_job_right_of_those_before_it_and_an_arrow_for_each_link() -> (
    None
):
    root = ElementTree.fromstring(svg(SHOP, NAMES))
    space = "{http://www.w3.org/2000/svg}"
    x = {
        (group.findtext(f"{space}text") or ""): float(group[0].attrib["x"])
        for group in root.findall(f"{space}g")
    }
    assert x.keys() == set(NAMES)
    arrows = [path for path in root.findall(f"{space}path")]
    assert len(arrows) == len(list(SHOP.edges(NAMES))) == 5
    for edge in SHOP.edges(NAMES):
        assert x[edge.earlier] < x[edge.later]
    text = svg(SHOP, NAMES)
    assert "prefers-color-scheme: dark" in text
    boxes = [
        tuple(float(group[0].attrib[name]) for name in ("x", "y"))
        for group in root.iter(f"{space}g")
    ]
    assert len(set(boxes)) == len(boxes)


def test_no_jobs_make_an_empty_picture() -> None:
    assert ElementTree.fromstring(svg(Graph({}), ())).tag.endswith("svg")
    assert tree(Graph({}), ()) == []


def test_in_a_page_each_box_leads_to_its_job_and_has_no_style_of_its_own() -> None:
    text = svg(SHOP, NAMES, here=NAMES[0], link=lambda name: f"/jobs/{name}?a=1&b=2")
    root = ElementTree.fromstring(text)
    links = [one.get("href") for one in root.iter("{http://www.w3.org/2000/svg}a")]
    assert set(links) == {f"/jobs/{name}?a=1&b=2" for name in NAMES}
    assert "<style" not in text and text.count('class="here"') == 1
