# The last stage, which a plain `docker build .` makes, is JIVE and nothing else: it runs anywhere that gives it
# DATABASE_URL, REDIS_URL and JIVE_SECRET_KEYS. `dev` and `test` are for docker-compose.yml.
#
# Railway builds this file too. It refuses VOLUME, and cache mounts whose id does not begin with the id of one's
# own Railway service, so there are none: what makes a rebuild quick is that each layer changes less often than
# the next.

FROM python:3.13-slim AS common
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore


FROM common AS dependencies
COPY requirements.lock /tmp/
# Only wheels, so that nothing is compiled: the lock holds those of amd64 and arm64.
RUN pip install --prefix=/install --only-binary=:all: --require-hashes --requirement=/tmp/requirements.lock


FROM common AS build
# Pinned, and here rather than in an environment of pip's making: a rebuild after an edit needs no network.
RUN pip install setuptools==84.2.1
WORKDIR /source
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY jive jive
RUN pip install --prefix=/install --no-deps --no-build-isolation .


FROM common AS base
# git reads the repositories. tini is process 1: it passes signals on from the first moment, where a process 1
# without a handler ignores SIGTERM, and it reaps what a killed git leaves behind. A repository that is mounted
# to be scanned belongs to somebody on the host, whom git in here does not know and would refuse.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git tini \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system safe.directory '*' \
    && useradd --uid 10001 --create-home jive \
    && install --directory --owner=jive --group=jive /app /data
COPY --chmod=755 docker/entrypoint.sh /usr/local/bin/entrypoint.sh
ENV JIVE_DATA_DIR=/data
WORKDIR /app
EXPOSE 3000
ENTRYPOINT ["tini", "--", "entrypoint.sh"]
CMD ["jive", "web"]
# It asks whether the process serves, not whether the stores do: a restart would not mend those.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", "\
import os, urllib.request as request; \
request.urlopen('http://127.0.0.1:%s/api/health/live' % os.environ.get('PORT', 3000), timeout=4)"]


FROM base AS dev
# For tests that stop a Redis of their own, and one that asks make. Their Postgres comes with requirements-dev.lock.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make redis-server \
    && rm -rf /var/lib/apt/lists/*
COPY --from=dependencies /install /usr/local
COPY requirements-dev.lock /tmp/
RUN pip install --only-binary=:all: --require-hashes --requirement=/tmp/requirements-dev.lock
COPY --from=build /install /usr/local
# The source that is mounted at /app is found before the installed one.
ENV PYTHONPATH=/app
USER jive


FROM dev AS test
COPY --chown=jive . .
CMD ["pytest"]


FROM base
COPY --from=dependencies /install /usr/local
COPY --from=build /install /usr/local
USER jive
