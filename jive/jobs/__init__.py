"""Jobs: the queue (Huey on Redis), its tasks, and the worker that runs them.

A job only names a project to scan. It may be lost: the sweep finds in Postgres what is left to do.
"""
