"""What one does on the pages: with keys, by searching, with several jobs, in a long log."""

import re
from functools import partial

from playwright.sync_api import Page, expect

from jober.output import Frame, Stream
from jober.run import RunState
from jober.store.outputs import Piece
from tests.store.hand import Hand
from tests.waiting import wait_until
from tests.web.browser import Complaints
from tests.web.conftest import Web


def test_keys_lead_everywhere(page: Page, web: Web, places: dict[str, str]) -> None:
    for key, path in (("j", "/jobs"), ("r", "/runs"), ("a", "/agents"), ("t", "/timeline")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page).to_have_url(web.url + path)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.goto(f"{web.url}/jobs")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    # In a field, letters are letters.
    page.keyboard.type("gj?")
    expect(page.get_by_role("searchbox")).to_have_value("gj?")
    page.keyboard.press("Escape")
    page.goto(f"{web.url}/jobs")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="checks")).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_label("Choose checks")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{web.url}/jobs/checks")


def test_jobs_are_found_as_one_writes_and_changed_several_at_a_time(
    page: Page, web: Web, places: dict[str, str]
) -> None:
    page.goto(f"{web.url}/jobs")
    rows = page.locator("[data-rows] tr")
    expect(rows).to_have_count(4)
    page.get_by_role("searchbox").press_sequentially("nig")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=nig"))
    page.get_by_role("searchbox").fill("")
    expect(rows).to_have_count(4)
    page.get_by_label("State").select_option("paused")
    expect(rows).to_have_count(1)
    expect(rows.locator("b")).to_have_text("paused")
    # A title is text, whatever stands in it.
    expect(rows).to_contain_text("a <b>title</b>")
    page.goto(f"{web.url}/jobs?tag=night")
    expect(rows).to_have_count(1)
    page.goto(f"{web.url}/jobs")
    page.get_by_label("Choose nightly").check()
    page.get_by_label("Choose checks").check()
    expect(page.locator("[data-chosen]")).to_have_text("2 chosen")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status").filter(has_text="2 paused")).to_be_visible()
    assert web.jober.job("nightly").paused and web.jober.job("checks").paused
    assert not web.jober.job("after").paused
    page.get_by_label("Choose all on this page").check()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status").filter(has_text="4 resumed")).to_be_visible()


def test_light_and_dark_are_kept(page: Page, web: Web) -> None:
    root = page.locator("html")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(245, 246, 248)"
    page.get_by_role("button", name="Switch to the dark theme").click()
    expect(root).to_have_attribute("data-theme", "dark")
    page.goto(f"{web.url}/jobs")
    expect(root).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 21, 26)"
    assert root.get_attribute("data-zone") == "Europe/Warsaw"


def test_what_somebody_else_has_changed_meanwhile_is_not_lost(
    page: Page, web: Web, places: dict[str, str], complaints: Complaints
) -> None:
    complaints.pass_over("422 (Unprocessable")
    page.goto(f"{web.url}/jobs/nightly/edit")
    web.jober.update_job("nightly", timeout=99)
    page.get_by_label("Title").fill("Another title")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("not saved")
    expect(page.locator("#wrong-more")).to_contain_text("revision")
    job = web.jober.job("nightly").job
    assert (job.timeout, job.title) == (99, "The backup of everything")
    page.goto(f"{web.url}/jobs/nightly/edit")
    page.get_by_label("Title").fill("Another title")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(f"{web.url}/jobs/nightly")
    job = web.jober.job("nightly").job
    assert (job.timeout, job.title) == (99, "Another title")
    expect(page.locator(".diff .add")).to_contain_text("Another")


def test_a_host_is_cordoned_and_a_limit_is_set(
    page: Page, web: Web, places: dict[str, str]
) -> None:
    page.goto(f"{web.url}/agents")
    page.get_by_role("row", name="alpha").get_by_role("button", name="Cordon").click()
    expect(page.get_by_role("row", name="alpha")).to_contain_text("cordoned")
    page.goto(f"{web.url}/limits")
    page.get_by_label("Name").fill("disk")
    page.get_by_label("Slots").fill("7")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_role("row", name="disk")).to_contain_text("/7")


LINES = 60_000


def _long_log(hand: Hand) -> str:
    """A run that has written some megabytes of numbered lines."""
    hand.job("long")
    run = hand.run("long")
    frames, offset = [], 0
    for seq in range(LINES // 500):
        text = "".join(f"line {seq * 500 + n:06d} {'x' * 60}\n" for n in range(500)).encode()
        frames.append(Frame(seq=seq + 1, stream=Stream.STDOUT, at_ms=1, offset=offset, data=text))
        offset += len(text)
    for start in range(0, len(frames), 20):
        hand.store.outputs.add([Piece(run=run, frames=tuple(frames[start : start + 20]))])
    return run


def test_of_a_long_log_little_is_there_at_a_time_and_all_can_be_reached(
    page: Page, web: Web, hand: Hand
) -> None:
    run = _long_log(hand)
    page.goto(f"{web.url}/runs/{run}")
    box, rows = page.locator("#log .rows"), page.locator("#log .row")
    expect(rows.last).to_contain_text(f"line {LINES - 1:06d}")
    assert rows.count() < 3000

    def first() -> int:
        return int(rows.first.locator("span").inner_text().split()[1])

    def is_scrolled_up(before: int) -> bool:
        # The page may be putting back what was seen meanwhile: again, as a person would.
        box.evaluate("one => { one.scrollTop = 0 }")
        return first() < before

    def numbers() -> list[int]:
        told = page.evaluate(
            "[...document.querySelectorAll('#log .row > span')].map(one => one.textContent)"
        )
        return [int(one.split()[1]) for one in told]

    # Upwards, page after page, without a gap, and never more than a few of them.
    for _ in range(20):
        wait_until(partial(is_scrolled_up, first()), 30, "an earlier page")
    seen = numbers()
    assert seen == list(range(seen[0], seen[-1] + 1))
    assert len(seen) < 15_000 and seen[-1] < LINES - 1

    page.get_by_role("button", name="Begin").click()
    expect(rows.first).to_contain_text("line 000000")
    page.get_by_label("Search the log").fill("line 031415")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#log .row.hit")).to_contain_text("line 031415")
    expect(page.locator("#log .row.hit")).to_be_in_viewport()
    link = page.locator("#log .row.hit a").get_attribute("href")
    page.get_by_label("Search the log").fill("not there at all")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#log p[data-told]")).to_contain_text("is not further on")

    # A link to a line leads to it.
    page.goto(f"{web.url}{link}")
    expect(page.locator("#log .row.hit")).to_contain_text("line 031415")
    expect(page.locator("#log .row.hit")).to_be_in_viewport()
    page.get_by_role("button", name="End").click()
    expect(rows.last).to_contain_text(f"line {LINES - 1:06d}")


def test_streams_are_shown_or_not_and_all_is_downloaded(
    page: Page, web: Web, places: dict[str, str]
) -> None:
    page.goto(f"{web.url}/runs/{places['run']}")
    errors = page.locator("#log .row.stderr")
    expect(errors).to_be_visible()
    page.get_by_label("stderr").uncheck()
    expect(errors).to_be_hidden()
    expect(page.locator("#log .row.stdout").first).to_be_visible()
    assert page.locator("#log .row .f1.bold").inner_text() == "red"
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    text = started.value.path().read_text()
    assert text == f"{places['run']}\n\x1b[1;31mred\x1b[0m <script>alert(1)</script>\noh\n"


def test_at_night_one_finds_what_failed_on_one_host_of_twelve_sees_why_and_runs_it_again(
    page: Page, web: Web, hand: Hand
) -> None:
    hosts = [f"db{number:02d}" for number in range(1, 13)]
    for host in hosts:
        hand.agent(f"{host}-aaaaaa", ("db",))
    hand.job("vacuum", roles=["db"], every=3600, on="every", overlap="allow")
    fire = hand.fire_now("vacuum", *hosts)
    for host in hosts:
        [claim] = hand.claim(f"{host}-aaaaaa")
        is_bad = host == "db07"
        text = b"no room on /data\n" if is_bad else b"done\n"
        frame = Frame(seq=1, stream=Stream.STDERR, at_ms=fire, offset=0, data=text)
        hand.store.outputs.add([Piece(run=claim.id, frames=(frame,))])
        state = RunState.FAILED if is_bad else RunState.SUCCESS
        hand.finish(claim, state, f"{host}-aaaaaa", exit_code=int(is_bad))

    page.goto(f"{web.url}/")
    page.get_by_role("row", name="db07").get_by_role("link", name="vacuum-").click()
    expect(page.locator("#run-head")).to_contain_text("exit status 1")
    expect(page.locator("#log")).to_contain_text("no room on /data")
    page.locator("#run-head p.sub").get_by_role("link").last.click()
    odd = page.locator("#groups section").first
    expect(odd).to_contain_text("db07")
    expect(odd.locator(".add")).to_contain_text("no room on /data")
    expect(page.locator("#groups section").last).to_contain_text("11 hosts alike")
    page.get_by_role("button", name="Run it again").click()
    expect(page.get_by_role("row", name="queued")).to_have_count(1)
    [run] = web.jober.runs("vacuum", state="queued")
    assert run.host == "db07"


def test_why_a_run_does_not_start_is_told_and_what_became_of_a_fire(
    page: Page, web: Web, hand: Hand
) -> None:
    hand.agent("alpha-aaaaaa", ("web",))
    hand.job("train", roles=["gpu"], cron="0 3 * * *")
    page.goto(f"{web.url}/runs/{hand.run('train')}")
    expect(page.locator("#run-head .note")).to_have_text(
        "It waits: no live host has a role that it asks for (see Agents)."
    )
    page.get_by_role("link", name="train", exact=True).click()
    expect(page.locator("main")).to_contain_text("No live host has such a role now.")
    page.get_by_label("Fire at").fill("2026-01-01 04:00")
    page.get_by_role("button", name="Why?").click()
    expect(page.locator("#ledger")).to_contain_text("2026-01-01 04:00")
