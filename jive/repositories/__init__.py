"""Git repositories: paths and bytes out. Knows no document and no database.

url.py        the URL of a repository, taken apart and checked
access.py     what may be fetched from where, and with which token
git.py        run git: with a deadline, a clean environment and no secret in its arguments
storage.py    the folder of a bare repository: make, lock, clean up, measure, delete
fetching.py   fetch a branch's head into a mirror
failures.py   what a failed git command means
streams.py    parse git's listings of trees, differences and blobs
mirror.py     a mirror: the entry point, made of the above
worktree.py   a checked-out repository on this machine
"""
