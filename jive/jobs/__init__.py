"""Jobs: Huey on Redis, the tasks it runs, and the worker that runs them.

A job is a hint. It says which project to look at, never what to do there, and may be lost: a sweep finds in
Postgres what it stood for.
"""
