"""Settings: all problems are reported at once, by name, before anything connects; secrets are never shown."""

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jive import keys, settings
from jive.errors import NotRunning, SettingsError
from jive.settings_table import SETTINGS, Setting

ROOT = Path(settings.__file__).parent.parent
GOOD = {
    "DATABASE_URL": "postgresql://me:hush@db.example:5432/jive",
    "REDIS_URL": "redis://:hush@redis.example:6379/0",
    "JIVE_SECRET_KEYS": keys.make(),
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = dict(os.environ)  # loading puts the values of files into the environment
    for name in before:
        if name.startswith("JIVE_") or name.removesuffix("_FILE") in ("DATABASE_URL", "REDIS_URL", "PORT"):
            monkeypatch.delenv(name)
    yield
    os.environ.clear()
    os.environ.update(before)


def load(monkeypatch: pytest.MonkeyPatch, **values: str) -> settings.Settings:
    for name, value in (GOOD | values).items():
        monkeypatch.setenv(name, value)
    return settings.load(())


def problems(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **values)
    return str(caught.value)


def test_three_variables_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(monkeypatch)
    assert (config.port, config.log_level, config.web_processes) == (3000, "INFO", 2)


def test_a_value_wins_over_the_name_file_of_a_later_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "own.key").write_text(keys.make())
    (tmp_path / "env").write_text(f"JIVE_SECRET_KEYS_FILE={tmp_path / 'own.key'}\nPORT=1234\n")
    (tmp_path / ".env").write_text("PORT=4321\n")
    new = keys.make()
    for name, value in (GOOD | {"JIVE_SECRET_KEYS": new}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PORT", raising=False)
    config = settings.load((tmp_path / ".env", tmp_path / "env", tmp_path / "none"))
    assert (config.secret_keys, config.port) == ((new,), 4321)
    monkeypatch.delenv("PORT")


@pytest.mark.parametrize("is_file_first", [True, False])
def test_a_value_wins_over_a_file_of_it_in_the_same_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_file_first: bool
) -> None:
    (tmp_path / "old.key").write_text(keys.make())
    new = keys.make()
    lines = [f"JIVE_SECRET_KEYS_FILE={tmp_path / 'old.key'}", f"JIVE_SECRET_KEYS={new}"]
    (tmp_path / ".env").write_text("\n".join(lines if is_file_first else reversed(lines)))
    monkeypatch.setenv("DATABASE_URL", GOOD["DATABASE_URL"])
    monkeypatch.setenv("REDIS_URL", GOOD["REDIS_URL"])
    assert settings.load((tmp_path / ".env",)).secret_keys == (new,)


def test_an_empty_key_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keys").touch()
    monkeypatch.setenv("JIVE_SECRET_KEYS_FILE", str(tmp_path / "keys"))
    assert "JIVE_SECRET_KEYS: holds no key" in problems(monkeypatch, JIVE_SECRET_KEYS="")


def test_all_problems_are_reported_at_once_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "x")
    with pytest.raises(SettingsError) as caught:
        settings.load(())
    for name in GOOD:
        assert f"{name}: is not set" in str(caught.value)
    assert "PORT: is not a whole number" in str(caught.value)


def test_with_nothing_set_and_nothing_running_the_error_says_how_to_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".jive").mkdir()
    # As a `jive up` that was killed leaves it.
    (tmp_path / ".jive/env").write_text("".join(f"{name}={value}\n" for name, value in GOOD.items()))
    (tmp_path / ".jive/lock").touch()
    with pytest.raises(NotRunning, match=r"^JIVE is not running here: make up"):
        settings.load()


def test_the_env_file_of_a_running_jive_up_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".jive").mkdir()
    (tmp_path / ".jive/env").write_text("".join(f"{name}={value}\n" for name, value in GOOD.items()))
    with (tmp_path / ".jive/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert settings.load().database_url == GOOD["DATABASE_URL"]


@pytest.mark.parametrize("setting", [each for each in SETTINGS if each.default is not None])
def test_an_empty_setting_counts_as_unset(monkeypatch: pytest.MonkeyPatch, setting: Setting) -> None:
    assert load(monkeypatch, **{setting.name: ""}) == load(monkeypatch)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "mysql://me:hush@db/jive", "must start with postgresql:// or postgres://"),
        ("DATABASE_URL", "postgresql://me:hush@db", "names no database"),
        ("DATABASE_URL", "postgresql://me:hush@db:port/jive", "port is not a number"),
        ("DATABASE_URL", "postgresql:///jive", "names no host"),
        ("DATABASE_URL", "postgresql://me:50%hush@db/jive", "has a % that begins no escape"),
        ("JIVE_GIT_TOKENS", "hush", "must list pairs such as github.com=TOKEN"),
        ("JIVE_GIT_TOKENS", "github.com=hush,", "must list pairs such as github.com=TOKEN"),
        ("REDIS_URL", "http://:hush@redis", "must start with redis://"),
        ("REDIS_URL", "redis://", "names no host"),
        ("JIVE_SECRET_KEYS", "hush", "key 1 is not a key"),
        ("JIVE_SECRET_KEYS", "A" * 43 + "=,hush", "key 2 is not a key"),
        ("JIVE_SECRET_KEYS", "", "is not set"),
        ("PORT", "eighty", "PORT: is not a whole number"),
        ("PORT", "70000", "PORT: must be from 1 to 65535"),
        ("JIVE_LOG_LEVEL", "loud", "must be one of DEBUG"),
        ("JIVE_REDIS_TIMEOUT_S", "soon", "is not a number"),
    ],
)
def test_a_malformed_value_is_reported_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    text = problems(monkeypatch, **{name: value})
    assert name in text
    assert said in text
    assert "hush" not in text


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_url_schemes_of_postgres_are_accepted(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    config = load(monkeypatch, DATABASE_URL=f"{scheme}://me:hush@db.example:5432/jive")
    assert config.database_url == "postgresql://me:hush@db.example:5432/jive"


@pytest.mark.parametrize(
    "url", ["redis://redis.example", "rediss://:hush@redis.example:6380/1", "unix:///run/redis.sock"]
)
def test_every_url_scheme_of_redis_is_accepted(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert load(monkeypatch, REDIS_URL=url).redis_url == url


# What may be shown, although it is text. A new setting that holds text is hidden from `repr`, or named here.
PUBLIC = {"public_url", "log_level", "data_dir", "git_hosts"}
SECRETS = {
    "DATABASE_URL": ("postgresql://me:hush@db.example/jive?password=hush", "hush"),
    "REDIS_URL": ("redis://me:hush@redis.example", "hush"),
    "JIVE_SECRET_KEYS": (GOOD["JIVE_SECRET_KEYS"], GOOD["JIVE_SECRET_KEYS"]),
    "JIVE_GIT_TOKENS": ("github.com=hush", "hush"),
}


@pytest.mark.parametrize(
    "setting",
    [each for each in SETTINGS if each.type in ("str", "list", "dict", "path") and each.field not in PUBLIC],
    ids=lambda setting: setting.name,
)
def test_a_secret_is_not_in_the_repr(monkeypatch: pytest.MonkeyPatch, setting: Setting) -> None:
    value, secret = SECRETS.get(setting.name, ("hush", "hush"))
    config = load(monkeypatch, **{setting.name: value})
    assert secret in str(vars(config))
    assert secret not in f"{config!r} {config}"
    assert secret not in config.database_place + config.redis_place


def test_the_places_of_the_stores_are_shown_without_user_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(monkeypatch)
    assert config.database_place == "postgresql://db.example:5432/jive"
    assert config.redis_place == "redis://redis.example:6379/0"


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in (GOOD | {"PORT": "4000"}).items()))
    assert settings.load((file,)).port == 4000
    monkeypatch.setenv("PORT", "5000")
    assert settings.load((file,)).port == 5000


def test_a_value_can_be_given_in_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key_file = tmp_path / "keys"
    assert keys.make_file(key_file)
    monkeypatch.setenv("JIVE_SECRET_KEYS_FILE", str(key_file))
    config = load(monkeypatch, JIVE_SECRET_KEYS="")
    assert config.secret_keys == (key_file.read_text().strip(),)


def test_a_value_wins_over_a_file_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key_file = tmp_path / "keys"
    assert keys.make_file(key_file)
    monkeypatch.setenv("JIVE_SECRET_KEYS_FILE", str(key_file))
    new = keys.make()
    assert load(monkeypatch, JIVE_SECRET_KEYS=f"{new},{key_file.read_text().strip()}").secret_keys[0] == new


@pytest.mark.parametrize(
    ("entries", "hosts"),
    [
        ("", {"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket"}),
        ("git.example.com=gitlab", {"git.example.com": "gitlab"}),
        ("GitLab.com, Git.Example.com=Bitbucket", {"gitlab.com": "gitlab", "git.example.com": "bitbucket"}),
        ("gitlab.example.com", {"gitlab.example.com": "gitlab"}),
        ("git.example.com", {"git.example.com": None}),
    ],
)
def test_git_hosts_are_domains_with_the_kind_of_host(
    monkeypatch: pytest.MonkeyPatch, entries: str, hosts: dict[str, str | None]
) -> None:
    assert load(monkeypatch, JIVE_GIT_HOSTS=entries).git_hosts == hosts


@pytest.mark.parametrize("entries", ["=gitlab", "git.example.com=gitea"])
def test_git_hosts_of_no_domain_or_an_unknown_kind_are_refused(monkeypatch: pytest.MonkeyPatch, entries: str) -> None:
    assert "JIVE_GIT_HOSTS: must list domains" in problems(monkeypatch, JIVE_GIT_HOSTS=entries)


def test_a_file_that_cannot_be_read_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIVE_SECRET_KEYS_FILE", "/nowhere")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert "JIVE_SECRET_KEYS: The value of JIVE_SECRET_KEYS_FILE must be a readable file path" in problems(
        monkeypatch, JIVE_SECRET_KEYS=""
    )


def test_the_lines_of_env_example_are_valid(tmp_path: Path) -> None:
    lines = re.findall(r"^# (\w+=.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert len(lines) == len(SETTINGS)
    (tmp_path / ".env").write_text("\n".join(lines))
    with pytest.raises(SettingsError) as caught:
        settings.load((tmp_path / ".env",))
    assert caught.value.problems == ("JIVE_SECRET_KEYS: is not set; docs/settings.md says what it means",)
