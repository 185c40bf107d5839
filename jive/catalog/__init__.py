"""The read side: questions about projects and deliveries, answered with frozen values. Writes nothing.

The command line asks here, and so will the pages and the agents' tools.
"""
