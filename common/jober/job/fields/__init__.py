"""The fields of a job, each with what it is, what it expects, and its default.

A file for each group, in the order of `docs/jobs.md`.
"""

from pydantic import ConfigDict, Field

from jober.job.fields.ends import EndFields
from jober.job.fields.how import HowFields
from jober.job.fields.keep import KeepFields
from jober.job.fields.people import PeopleFields
from jober.job.fields.service import ServiceFields
from jober.job.fields.tell import TellFields
from jober.job.fields.what import WhatFields
from jober.job.fields.when import WhenFields
from jober.job.fields.where import WhereFields
from jober.job.fields.workflow import WorkflowFields


# pydantic takes the fields of the last base first.
class JobFields(
    PeopleFields,
    TellFields,
    KeepFields,
    ServiceFields,
    WorkflowFields,
    EndFields,
    HowFields,
    WhereFields,
    WhenFields,
    WhatFields,
):
    """What a job is made of, each field checked by itself.

    The docs of the fields (`model_json_schema` tells them) each end with the default;
    `expects` and `mend`, beside them, are the words of the errors.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: str = Field(
        description="What the job is called: letters, digits, '-' and '_', a letter or digit "
        "first, at most 100. Default: none, it is always given.",
        json_schema_extra={"expects": "a name", "mend": 'name = "nightly"'},
    )
