"""The read side: queries about projects and deliveries, answered with frozen values. Nothing here writes.

Everything that shows data to people or agents asks here, not the models.
"""
