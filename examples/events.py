"""What happens, as it is told: `python examples/events.py`.

Callbacks are called in a thread of the program. `events` begins with a snapshot of how things are;
whoever was away goes on after the last event that it has seen.
"""

import threading

from jober import Jober

with Jober() as jober:
    failed = threading.Event()

    @jober.on("error")
    def alert(event):
        print("on error:", event.job, event.facts["state"], event.facts["reason"])
        failed.set()

    jober.add_job("exit 3", name="broken", shell=True)
    events = jober.events("job.*", "run.finished", name="broken")
    snapshot = next(events)
    print("first a", snapshot.type)

    jober.run("broken").wait(timeout=60)
    failed.wait(60)
    finished = next(events)
    print("then", finished.type)

    jober.update_job("broken", title="It is known")
    for event in jober.events("job.*", after=finished.id, timeout=1):
        print("resumed:", event.type)
