"""All senders of deliveries, for the tests that each of them passes."""

from dataclasses import replace

import pytest

from tests.hosts import speaker as ways
from tests.hosts.payloads import BITBUCKET_CLOUD, BITBUCKET_DATA_CENTER, GITHUB, GITLAB
from tests.hosts.speaker import Speaker

SPEAKERS = (
    GITHUB,
    replace(
        GITHUB,
        name="github-form",
        encode=ways.as_form,
        media_type="application/x-www-form-urlencoded; charset=utf-8",
    ),
    GITLAB,
    replace(
        GITLAB,
        name="gitlab-token",
        id_header="idempotency-key",
        signature_header="x-gitlab-token",
        sign=ways.plain_token,
    ),
    BITBUCKET_CLOUD,
    BITBUCKET_DATA_CENTER,
)


@pytest.fixture(params=SPEAKERS, ids=lambda speaker: speaker.name)
def speaker(request: pytest.FixtureRequest) -> Speaker:
    found: Speaker = request.param
    return found
