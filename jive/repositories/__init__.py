"""Git repositories: fetch them, list their files and read them. Knows no document and no database.

url.py        take the URL of a repository apart and check it
access.py     what may be fetched from where, and with which token
git.py        run git: with a deadline, a clean environment and no secret in its arguments
storage.py    the folder of a bare repository: create, lock, clean up, measure, replace, delete
fetching.py   fetch a branch's head into a mirror, and recreate a damaged mirror
failures.py   what a failed git command means
streams.py    parse git's listings of trees, differences and blobs
mirror.py     the entry point: a mirror of a remote repository, made of the above
worktree.py   a checked-out repository on this machine
"""
