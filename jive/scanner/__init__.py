"""Reads documents: where they lie, what they are, what they say of themselves. Knows no database."""
