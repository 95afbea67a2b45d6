"""The tables of the archive. Moments are milliseconds since the epoch, as everywhere.

`runs` has a row for each run, `run_tags` one for each tag that its job had, `outputs` the pieces of
what it wrote to stdout and stderr, `log_records` its log records, each with its level; `schema`
says of which schema they are.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData()
_RUN = "jober_runs.id"

# What the other tables are like: one row.
SCHEMAS = Table("jober_schema", METADATA, Column("schema", Integer, primary_key=True))
RUNS = Table(
    "jober_runs",
    METADATA,
    Column("id", String(500), primary_key=True),
    Column("job", String(100)),
    Column("state", String(20), nullable=False),
    Column("host", String(253)),
    Column("agent", String(300)),
    Column("trigger", String(20), nullable=False),
    Column("queue", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("revision", BigInteger),
    Column("attempt", Integer, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
    Column("fire_at_ms", BigInteger),
    Column("enqueued_at_ms", BigInteger),
    Column("started_at_ms", BigInteger),
    Column("ended_at_ms", BigInteger, nullable=False),
    Column("exit_code", Integer),
    Column("reason", Text),
    Column("return_value", Text),
    Column("traceback", Text),
    Column("cpu_s", Float),
    Column("peak_memory_bytes", BigInteger),
    Column("term", String(30)),
    Column("attempts", Text, nullable=False),  # JSON
    Index("jober_runs_made", "made_at_ms", "id"),
    Index("jober_runs_of_job", "job", "made_at_ms", "id"),
)
RUN_TAGS = Table(
    "jober_run_tags",
    METADATA,
    Column("run", String(500), ForeignKey(_RUN, ondelete="CASCADE"), primary_key=True),
    Column("tag", String(200), primary_key=True),
    Index("jober_run_tags_tag", "tag", "run"),
)
OUTPUTS = Table(
    "jober_outputs",
    METADATA,
    Column("run", String(500), ForeignKey(_RUN, ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("stream", String(10), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("jober_outputs_at", "at_ms"),
)
LOG_RECORDS = Table(
    "jober_log_records",
    METADATA,
    Column("run", String(500), ForeignKey(_RUN, ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),  # of those in one frame
    Column("at_ms", BigInteger, nullable=False),
    Column("severity", Integer, nullable=False),  # as logging has it: 10 DEBUG … 50 CRITICAL
    Column("level", String(200), nullable=False),
    Column("logger", String(200), nullable=False),
    Column("message", Text, nullable=False),
    Index("jober_log_records_at", "severity", "at_ms"),
)
