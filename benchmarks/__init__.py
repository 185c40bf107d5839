"""Measure what JIVE costs compared with the bare drivers, in one run: `python -m benchmarks [NAME]`.

    __main__     the command: start the stores, measure, print one table
    rows         the register of the benchmarks
    postgres     rows on Postgres              messages   rows on Redis
    start        rows of whole processes       http       rows of the health routes
    deliveries   rows of deliveries over HTTP  scans      rows of scans
    latency      rows of a whole JIVE, from push to event
    measure      alternating rounds and their ratios
    table        how a row is printed
    stores       the Postgres and Redis of a run
    processes    start servers, and read their memory and processors
    load         requests from 16 connections
    pushes       signed pushes, ready to send
    repositories git repositories to scan
    documents    texts that read like documents
    hello        the bare application
    servers      a command of its own: compare Granian, Gunicorn and Waitress
    drain        what SIGTERM does to a server's requests

Nothing here passes or fails: figures depend on the machine, and only ratios within one run are comparable.
"""
