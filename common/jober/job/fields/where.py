"""Where a job runs, and how many of its runs at once."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from jober.job.fields.field import SECONDS_AT_MOST, FieldGroup, job_field

HostCount = Annotated[StrictInt, Field(ge=1, le=1000)]


class WhereFields(FieldGroup):
    """Hosts, limits, and what becomes of fires that find no place or time."""

    roles: list[str] = job_field(
        "Which hosts: any of these expressions, each a role, a+b (both) or a+!b (a, not b).",
        expects="a list of role expressions",
        mend='roles = ["db"], or roles = ["db+primary", "web"]',
        default=[],
        told_default='[], which is the role "default"',
    )
    on: Literal["any", "every"] | HostCount = job_field(
        "Run on any one host that matches, on every live one, or on so many of them.",
        expects="'any', 'every' or a number of hosts from 1 to 1000",
        mend="use 'any', 'every' or on = 3",
        default="any",
    )
    prefer: Literal["least", "spread", "random", "pack"] = job_field(
        "Which of the hosts that match: the least loaded, the one that ran the job least recently "
        "(spread), one by chance (random), or the fullest that has a slot free (pack).",
        expects="'least', 'spread', 'random' or 'pack'",
        mend="use 'least', 'spread', 'random' or 'pack'",
        default="least",
    )
    concurrency: int | None = job_field(
        "How many runs at once over the whole fleet, runs by hand included.",
        expects="a number of runs, 1 or more",
        mend="concurrency = 1",
        told_default='none, which is 1 over the fleet with on = "any", '
        '1 on each host with on = "every", and no limit with overlap = "allow"',
        ge=1,
        le=1_000_000,
    )
    overlap: Literal["skip", "queue", "queue-one", "cancel-old", "allow"] = job_field(
        "What a fire does while an earlier run is still going: be skipped (skip), wait for it "
        "(queue), wait unless another waits already (queue-one), have it cancelled and "
        "run in its place (cancel-old), or run beside it (allow).",
        expects="'skip', 'queue', 'queue-one', 'cancel-old' or 'allow'",
        mend="use 'skip', 'queue', 'queue-one', 'cancel-old' or 'allow'",
        default="skip",
    )
    catch_up: Literal["latest", "all", "none"] = job_field(
        "Which of the fires that were missed (no leader, no Redis) run after all.",
        expects="'latest', 'all' or 'none'",
        mend="use 'latest', 'all' or 'none'",
        default="latest",
    )
    catch_up_limit: int = job_field(
        'With catch_up = "all", how many of the latest at most.',
        expects="a number from 1 to 1000",
        mend="catch_up_limit = 100",
        default=100,
        ge=1,
        le=1000,
    )
    catch_up_window: int | float | None = job_field(
        "How many seconds ago a missed fire may have been due to run after all; older ones stay "
        "missed.",
        expects="a number of seconds above 0, at most a year",
        mend="catch_up_window = 3600",
        gt=0,
        le=SECONDS_AT_MOST,
    )
    limits: list[str] = job_field(
        "Names of limits that the job shares with others, each a number of runs at once over the "
        "whole fleet. A run waits until all of them have room.",
        expects="a list of names",
        mend='limits = ["database"], and below [limits]: database = 3',
        default=[],
        max_length=20,
    )
    weight: int = job_field(
        "How many of the agent's slots a run takes; on an agent with fewer, all of them.",
        expects="a number of slots, 1 or more",
        mend="weight = 2",
        default=1,
        ge=1,
        le=10_000,
    )
    priority: int = job_field(
        "Which of the runs that wait goes first: 9 before 0, then the older one.",
        expects="a number from 0 to 9",
        mend="priority = 9",
        default=5,
        ge=0,
        le=9,
    )
