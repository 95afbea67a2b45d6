"""All mutations, by the room that they are in."""

from tests.mutants.of_access import ACCESS
from tests.mutants.of_embedded import EMBEDDED
from tests.mutants.of_keeping import KEEPING
from tests.mutants.of_lua_parts import LUA_PARTS
from tests.mutants.of_reserved import RESERVED
from tests.mutants.of_runs import RUN_SCRIPTS
from tests.mutants.of_schedule import SCHEDULE
from tests.mutants.of_scheduler import SCHEDULER
from tests.mutants.of_scripts import SCRIPTS
from tests.mutants.of_signing import SIGNING
from tests.mutants.of_store import STORE
from tests.mutants.of_web import WEB
from tests.mutants.of_worker import WORKER
from tests.mutants.of_workflows import WORKFLOWS

MUTATIONS = (
    *RUN_SCRIPTS,
    *RESERVED,
    *SCRIPTS,
    *LUA_PARTS,
    *STORE,
    *SCHEDULER,
    *SCHEDULE,
    *WORKER,
    *WORKFLOWS,
    *ACCESS,
    *KEEPING,
    *EMBEDDED,
    *SIGNING,
    *WEB,
)
