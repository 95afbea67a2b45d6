"""What pages show, as values."""

from dataclasses import replace

from jober.agent_info import AgentInfo, LeaderInfo
from jober.client.finding import Coming
from jober.placement import Roster
from jober.queue_info import Counts, QueueInfo
from jober.run import Run, RunBrief, RunState
from jober.schedule import parse
from jober.schedule.zone import zone
from jober_web.pages.plots.bars import Bar, bar_plot, sparkline
from jober_web.pages.plots.scale import Scale, round_steps, time_step_ms
from jober_web.pages.views.agents import agents_view
from jober_web.pages.views.coming import Where, by_place
from jober_web.pages.views.diff import definition_lines, diff
from jober_web.pages.views.fire import HOST, fire_view
from jober_web.pages.views.fires import fire_lines
from jober_web.pages.views.job import definition_view, plots
from jober_web.pages.views.now import Warned, now_view
from jober_web.pages.views.timeline import clock_changes, timeline_view
from jober_web.pages.views.window import HOUR_MS, window_of
from jober_web.pages.wall import Wall, read_zone

NOW = 1_795_300_000_000
WALL = Wall(NOW, zone("Europe/Warsaw"))


def _run(id: str, state: RunState = RunState.SUCCESS, **more: object) -> Run:
    told = {
        "job": "job",
        "queue": "default",
        "description": "true",
        "trigger": "schedule",
        "attempt": 1,
        "started_at_ms": NOW - 60_000,
        "ended_at_ms": NOW - 30_000 if state.is_final else None,
    }
    return Run(id=id, state=state, **{**told, **more})  # type: ignore[arg-type]


def _agent(host: str, *roles: str, version: str = "1") -> AgentInfo:
    return AgentInfo(
        id=f"{host}-a", host=host, pid=1, roles=frozenset(roles), slots=4, version=version
    )


def test_the_first_page_warns_of_what_somebody_should_look_at() -> None:
    counts = Counts(jobs=3, running=1, queued=7, parked=2, delayed=1, waiting=0, overdue=2)
    old = QueueInfo(name="db", waiting=7, oldest="job-1", oldest_at_ms=NOW - 120_000)
    fresh = QueueInfo(name="web", waiting=1, oldest="job-2", oldest_at_ms=NOW - 1000)
    leader = LeaderInfo(node="n:1:a", host="n", pid=1, term=1, since_ms=NOW)
    view = now_view(
        counts=counts,
        overdue=["a", "b"],
        queues=[old, fresh],
        running=[_run("job-3", RunState.RUNNING)],
        bad=[_run("job-4", RunState.FAILED, reason="exit code 3")],
        bad_number=12,
        looked_ms=NOW - 3_600_000,
        leader=leader,
        agents=[_agent("a")],
        made=[0, 3],
        wall=WALL,
    )
    assert {figure.word: (figure.number, figure.tone) for figure in view.figures} == {
        "running": ("1", ""),
        "queued": ("7", ""),
        "waiting": ("3", ""),
        "late": ("9", "wait"),
        "failed in a day": ("12", "bad"),
        "jobs": ("3", ""),
    }
    assert view.warnings == (
        Warned(words="2 jobs due for 10 s and more: nobody has decided.", jobs=("a", "b")),
        Warned(words="7 runs in the queue db, the first for 2 min:", run="job-1"),
    )
    assert view.running[0].took == "1 min"
    assert view.bad[0].note == "exit code 3"
    assert view.bad_note.startswith("the newest 1 of 12; since ")
    nobody = now_view(
        counts=replace(counts, overdue=0),
        overdue=[],
        queues=[],
        running=[],
        bad=[],
        bad_number=0,
        looked_ms=NOW,
        leader=None,
        agents=[],
        made=[],
        wall=WALL,
    )
    assert [warning.words[:17] for warning in nobody.warnings] == [
        "No scheduler lead",
        "No agent is live:",
    ]


def test_next_fires_tell_what_summer_time_does_to_them() -> None:
    schedule = parse({"cron": "30 2 * * *"}, "Europe/Warsaw")
    wall = Wall(1_774_600_000_000, zone("UTC"))  # 2026-03-27
    fires = list(schedule.between_ms(wall.now_ms, wall.now_ms + 4 * 86_400_000))
    lines = fire_lines(schedule, fires, wall.now_ms, wall)
    [moved] = [line for line in lines if line.notes]
    assert moved.wall == "Sun 2026-03-29 03:00:00 CEST"
    assert moved.local == "Sun 2026-03-29 01:00:00 UTC"
    assert lines[0].local == "Sat 2026-03-28 01:30:00 UTC"
    assert [line.local for line in fire_lines(schedule, fires, 0, replace_zone(wall))][0] == ""


def replace_zone(wall: Wall) -> Wall:
    return Wall(wall.now_ms, zone("Europe/Warsaw"))


def test_the_clocks_that_are_set_are_marked() -> None:
    start = 1_774_600_000_000
    [(at, text)] = clock_changes(zone("Europe/Warsaw"), start, start + 4 * 86_400_000)
    assert (at, text) == (1_774_746_000_000, "clocks go forward 1 h")
    autumn = 1_792_800_000_000
    [(_, back)] = clock_changes(zone("Europe/Warsaw"), autumn, autumn + 4 * 86_400_000)
    assert back == "clocks go back 1 h"
    assert clock_changes(zone("UTC"), start, start + 400 * 86_400_000) == []


def test_a_timeline_has_rows_by_job_or_by_host_and_says_what_it_leaves_out() -> None:
    window = window_of("1h", None, NOW)
    assert window.end_ms - window.start_ms == HOUR_MS and window.end_ms > NOW
    runs = [_run("a-1", job="a", host="alpha"), _run("b-1", RunState.RUNNING, job="b", host="beta")]
    coming = [
        Coming(job="a", fires_ms=(NOW + 60_000,), is_cut=False),
        Coming(job="c", fires_ms=tuple(NOW + s * 1000 for s in range(1, 60)), is_cut=True),
    ]
    wheres = {"a": Where(on="every", queue="web"), "c": Where(on="any", queue="db")}
    roster = Roster.of([_agent("alpha", "web", "db"), _agent("beta", "web"), _agent("eta", "db")])

    def view(by: str, is_all: bool = True) -> str:
        made = timeline_view(
            runs,
            coming,
            by_place(coming, wheres, roster),
            window,
            WALL,
            by=by,
            job_link=lambda name: f"/jobs/{name}",
            run_link=lambda id: f"/runs/{id}",
            host_link=lambda host: f"/?host={host}",
            queue_link=lambda queue: f"/jobs?role={queue}",
            is_all=is_all,
            is_now=True,
        )
        return str(made.picture) + "".join(made.notes)

    by_job = view("job")
    assert [by_job.count(f'href="/jobs/{name}"') for name in "abc"] == [1, 1, 1]
    assert "a fires at " in by_job and "c fires every 1.0 s or so" in by_job
    assert 'class="s-running"' in by_job and 'class="line now"' in by_job
    assert "style=" not in by_job
    by_host = view("host", is_all=False)
    assert by_host.count('href="/?host=alpha"') == by_host.count('href="/?host=beta"') == 1
    assert [f" on {host}</title>" in by_host for host in ("alpha", "beta", "eta")] == [
        *(True, True, False)
    ]
    assert 'href="/jobs?role=db"' in by_host and "any of alpha, eta, from" in by_host
    assert "the newest 2 runs of this time" in by_host
    # A moment chosen stands in the middle; a zoom that is none is the usual one.
    assert window_of("1h", NOW, 0).start_ms == NOW - HOUR_MS // 2
    assert window_of("7y", NOW, 0).span == "6h"


def test_fires_stand_in_the_rows_of_the_hosts_that_will_take_them_where_these_are_known() -> None:
    roster = Roster.of([_agent(host, "db") for host in ("a", "b", "c")])

    def rows(on: str | int, queue: str = "db") -> list[str]:
        coming = [Coming(job="job", fires_ms=(NOW,), is_cut=False)]
        wheres = {"job": Where(on=on, queue=queue)}
        return [place.name for place in by_place(coming, wheres, roster)]

    assert rows("every") == rows(3) == rows(9) == ["a", "b", "c"]
    assert (rows("any"), rows(2)) == (["any of db"], ["2 of db"])
    assert rows("any", "gpu") == rows("every", "gpu") == ["no host for gpu"]


def test_runs_of_a_fire_that_said_the_same_are_one_group_and_the_odd_host_is_first() -> None:
    hosts = ["alpha", "beta", "gamma", "delta"]
    runs = [_run(f"disk-{host}", host=host) for host in hosts]
    outputs = {run.id: f"{run.host}: disk 40%\nall well\n".encode() for run in runs}
    outputs["disk-gamma"] = b"gamma: disk \x1b[31m99%\x1b[0m\nall well\n"
    late = _run("disk-epsilon", RunState.RUNNING, host="epsilon")
    view = fire_view([*runs, late], outputs, WALL)
    odd, usual = view.groups
    assert (odd.hosts, odd.is_odd) == (["gamma"], True)
    assert (usual.hosts, usual.is_odd) == (["alpha", "beta", "delta"], False)
    assert [(line.kind, line.pieces) for line in odd.lines] == [
        ("del", ((f"{HOST}: disk ", False), ("40", True), ("%", False))),
        ("add", ((f"{HOST}: disk ", False), ("99", True), ("%", False))),
        ("same", (("all well", False),)),
    ]
    assert [run.host for run in view.live] == ["epsilon"]
    assert fire_view([], {}, WALL).groups == ()


def test_a_run_that_ended_otherwise_is_odd_even_where_it_said_the_same() -> None:
    runs = [_run(f"r-{n}", host=f"h{n}") for n in range(3)]
    runs.append(_run("r-3", RunState.FAILED, host="h3", exit_code=1))
    view = fire_view(runs, {}, WALL)
    assert [(group.state, len(group.runs)) for group in view.groups] == [
        ("failed", 1),
        ("success", 3),
    ]
    assert view.bad == 1


def test_a_diff_tells_what_of_a_line_has_changed() -> None:
    old = definition_lines({"command": "backup --all", "cron": "0 3 * * *"})
    new = definition_lines({"command": "backup --most", "cron": "0 3 * * *", "timeout": 60})
    lines = diff(old, new)
    assert [line.kind for line in lines] == ["del", "add", "same", "add"]
    assert [piece for piece, changed in lines[1].pieces if changed] == ["most"]
    assert definition_lines({"notes": "a\nb"}) == ['notes = """', "a", "b", '"""']


def test_a_definition_is_compared_with_the_one_before_it_or_the_one_that_is_chosen() -> None:
    specs = {3: {"command": "c"}, 2: {"command": "b"}, 1: {"command": "a"}}
    view = definition_view(specs, None, None)
    assert view is not None and (view.revision, view.against, view.changed) == (3, 2, 1)
    chosen = definition_view(specs, 2, 3)
    assert chosen is not None and (chosen.revision, chosen.against) == (2, 3)
    first = definition_view(specs, 1, 9)
    assert first is not None and (first.against, first.changed) == (None, 0)
    assert definition_view({}, None, None) is None


def test_plots_of_a_job_count_what_has_ended() -> None:
    briefs = [
        RunBrief(
            id=f"r{n}",
            state=RunState.FAILED if n == 3 else RunState.SUCCESS,
            started_at_ms=NOW + n * 1000,
            ended_at_ms=NOW + n * 1000 + 500 * (n + 1),
            peak_memory_bytes=n * 2**20,
        )
        for n in range(4)
    ]
    running = RunBrief(id="r4", state=RunState.RUNNING, started_at_ms=NOW)
    view = plots([*briefs, running], {"r1": "/runs/r1"}, WALL)
    assert (view.runs, view.rate) == (4, "75 %")
    assert view.typical == "1.5 s typically, 2.0 s at most"
    assert 'href="/runs/r1"' in str(view.durations) and "3.0 MiB" in str(view.memory)
    nothing = plots([], {}, WALL)
    assert (nothing.rate, nothing.durations, nothing.memory) == ("", None, None)


def test_agents_come_a_page_at_a_time_and_say_which_runs_another_version() -> None:
    agents = [_agent(f"h{n}", "web", *(["db"] if n == 2 else [])) for n in range(5)]
    agents[3] = _agent("h3", "web", version="2")
    page = agents_view(agents, WALL, text="", after="", limit=2)
    found = [line.host for line in page.lines]
    while page.next:
        page = agents_view(agents, WALL, text="", after=page.next, limit=2)
        found += [line.host for line in page.lines]
    assert found == ["h0", "h1", "h2", "h3", "h4"]
    all_of_them = agents_view(agents, WALL, text="", after="", limit=9)
    assert [line.host for line in all_of_them.lines if line.is_other_version] == ["h3"]
    assert all_of_them.roles == ("db", "web")
    assert [
        line.host for line in agents_view(agents, WALL, text="db", after="", limit=9).lines
    ] == ["h2"]


def test_plots_escape_what_they_are_given_and_have_no_style_of_their_own() -> None:
    bar = Bar(value=3, state="failed", title='<script>"&', href="/a?b=1&c=2")
    for text in (
        str(sparkline([bar], "a <b>")),
        str(bar_plot([bar, bar], "<i>", lambda value: f"{value:g}", ("<", ">"))),
    ):
        assert "<script>" not in text and "style=" not in text
        assert "&lt;script&gt;" in text


def test_scales_hold_values_within_their_place() -> None:
    scale = Scale(0, 10, 100, 200)
    assert [scale(value) for value in (-5, 0, 5, 10, 50)] == [100, 100, 150, 200, 200]
    assert Scale(3, 3, 7, 9)(3) == 7
    assert round_steps(0) == [0.0, 1.0]
    assert round_steps(95)[-1] >= 95
    assert round_steps(5 * 2**20, base=1024) == [step * 2**21 for step in range(4)]
    assert time_step_ms(HOUR_MS) == 15 * 60_000


def test_a_zone_that_nobody_knows_is_utc() -> None:
    assert read_zone("Europe/Warsaw").name == "Europe/Warsaw"
    assert read_zone("Nowhere/Land").name == "UTC"
    assert read_zone("../../etc/passwd").name == "UTC"
    assert read_zone(None).name == "UTC"
