"""What jobs say of one another: whether it fits together, where all of them are known."""

from collections.abc import Iterator, Mapping

from jober.errors import DefinitionError, did_you_mean
from jober.job import Job
from jober.job.problems import told
from jober.jobs_file.jobs import JobsFile
from jober.workflow import Graph

_FIELDS = ("needs", "wait_for", "on_success", "on_failure")


def wrong_links(jobs: Mapping[str, Job], file: JobsFile) -> Iterator[DefinitionError]:
    """What is wrong with the links of the jobs, once the file has been applied: a job that is
    named and will not be there, or is a service, and a loop."""
    graph = Graph({name: job.links for name, job in jobs.items()})
    for one in graph.dangling():
        job = jobs[one.job]
        field = one.field if one.name in getattr(job, one.field) else "args"
        yield DefinitionError(
            f"no job is named {told(one.name)}{did_you_mean(one.name, jobs)}",
            job=one.job,
            field=field,
            value=one.name,
            mend="define it in the same file, or keep it",
            file=file.path,
        )
    for name, job in jobs.items():
        for field in _FIELDS:
            for other in getattr(job.links, field):
                if other in jobs and jobs[other].service:
                    yield DefinitionError(
                        f"{told(other)} is a service, and comes to no end",
                        job=name,
                        field=field,
                        value=other,
                        mend="take it out",
                        file=file.path,
                    )
    loop = graph.loop()
    if loop:
        yield DefinitionError(
            f"a loop: {' → '.join(loop)}, each after the one before",
            job=loop[0],
            value=list(loop),
            mend="take one out of needs, wait_for, on_success or on_failure",
            file=file.path,
        )
