"""What JIVE costs beside the bare driver, measured in one run: `python -m benchmarks [NAME]`.

    __main__   the command: start the stores, measure, print one table
    rows       the register of what is measured, with its targets
    postgres  messages  start  http      the rows, by what they touch
    measure    alternated rounds and their ratios     table   how they are told
    stores     the Postgres and Redis of a run        processes  servers started and looked at
    load       requests from 16 connections         hello   the bare application
    deliveries  scans  latency           the rows of the path of a push
    pushes     signed pushes, ready to send          repositories  git repositories to scan
    documents  text that reads like documents
    servers    Granian, Gunicorn and Waitress compared (a command of its own); drain is its stop under load

Nothing here passes or fails: figures depend on the machine, and only ratios within one run mean much.
"""
