"""Two programs, one folder: `python examples/shared_folder.py` starts another like it, sees its
runs, kills it, and goes on.
"""

import subprocess
import sys
import tempfile

from jober import Jober

OTHER = """
import sys
from jober import Jober
jober = Jober(sys.argv[1])
print(jober.run(["sleep", "600"]).id, flush=True)
print(jober.run("sleep 1; echo done", shell=True, detach=True).id, flush=True)
input()
"""

with tempfile.TemporaryDirectory() as folder, Jober(folder) as jober:
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout
    own, detached = (jober.handle(other.stdout.readline().strip()) for _ in range(2))
    print("the other's run is", own.wait(timeout=60, until="running").state)
    other.kill()
    other.wait()
    ended = own.wait(timeout=60)
    print("the other is killed; its run is", ended.state)
    print("what it had detached says", detached.wait(timeout=60).state, detached.output.lines())
    print("we go on:", jober.run(["echo", "here"]).wait(timeout=60).state)
