"""The path of a push, and everything else that writes to the database.

    receive.py     a delivery arrives: find its project, verify it, record it, enqueue a scan
        |  a job in Redis, which may be lost
    scan.py        fetch the head of the branch, and read the documents that changed
        |            folder.py reads a checked-out repository instead
        |            mirrors.py lends the project's mirror
    apply.py       one transaction under the project's row lock: artifacts, deliveries, events
        |  after the commit
    publish.py     hand the events to Redis

    sweep.py       every minute: enqueue the scans and publish the events that were missed, delete what is not needed
    retry.py       make failed deliveries wait for a scan again

    registry.py    add and remove projects, rotate a webhook secret
    rotate_keys.py encrypt the stored secrets with the first key

Postgres is the truth: what Redis loses, a sweep finds there.
"""
