"""The path of a push.

    receive.py   a delivery: find its project, verify it, record it, have the project scanned
        |  a job in Redis, which may be lost
    process.py   a scan: fetch the branch's head, read what is new, and apply it
        |        apply.py: one transaction under the project's lock: artifacts, deliveries, events
        |  Redis, which may be away
    publish.py   tell the events that were written
        |
    sweep.py     every minute: do again what was recorded and not settled, written and not told

Beside it, mirrors.py knows where the copies of the repositories lie, and projects.py what people do with projects.

Postgres is the truth: whatever is lost on the way, a sweep finds it there.
"""
