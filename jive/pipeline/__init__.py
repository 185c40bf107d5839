"""The path of a document: read from a repository, kept in one transaction, told to listeners.

    scanner (no store) --> process: apply under the project's lock --> events --> Redis

Deliveries from Git hosts and a worker will join this path at its beginning: they do not exist yet, and
`jive scan PATH` is what starts it.
"""
