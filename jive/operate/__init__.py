"""Operate an installation: what the commands `up`, `demo`, `seed` and `check` do, and the private servers."""
