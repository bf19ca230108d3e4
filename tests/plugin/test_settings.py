"""Settings refuse to start on nonsense, with one line that says what to do."""

import pytest

from plugin.errors import SettingsError
from plugin.settings import Environment, Settings, VaultBackend

GOOD = {
    "FACESTEP_ISSUER": "https://face.example",
    "FACESTEP_DATABASE_URL": "sqlite:////tmp/x.db",
    "FACESTEP_VAULT_URL": "https://vault.example:8200",
    "FACESTEP_VAULT_TOKEN_FILE": "/run/secrets/token",
}
DEVELOPMENT = {
    "FACESTEP_ISSUER": "http://localhost:8100",
    "FACESTEP_DATABASE_URL": "sqlite:////tmp/x.db",
    "FACESTEP_ENVIRONMENT": "development",
    "FACESTEP_VAULT_BACKEND": "keyring",
    "FACESTEP_KEYRING_FILE": "/var/lib/facestep/keys.json",
}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def load(changes=None, *, base=GOOD):
    merged = {**base, **{f"FACESTEP_{name.upper()}": value for name, value in (changes or {}).items()}}
    return Settings.load({name: value for name, value in merged.items() if value is not None})


def test_production_is_the_default():
    settings = load()
    assert settings.environment is Environment.PRODUCTION
    assert settings.vault_backend is VaultBackend.TRANSIT
    assert settings.listen_host == "127.0.0.1"


def test_development_may_use_the_keyring_on_loopback():
    assert load(base=DEVELOPMENT).vault_backend is VaultBackend.KEYRING


def test_values_get_their_types():
    settings = load({"workers": "3", "vault_timeout_s": "1.5", "models_dir": "~/models", "trusted_proxies": "1"})
    own = load({"calibration_file": "~/calibration.json"}).calibration_file
    assert own is not None
    assert own.is_absolute()
    assert settings.calibration_file is None
    assert (settings.workers, settings.vault_timeout_s, settings.trusted_proxies) == (3, 1.5, 1)
    assert settings.models_dir.is_absolute()


def test_the_environment_overrides_the_file(tmp_path):
    (tmp_path / "facestep.toml").write_text('issuer = "https://file.example"\nworkers = 5\n')
    settings = load({"issuer": "https://env.example"})
    assert (settings.issuer, settings.workers) == ("https://env.example", 5)


def test_the_file_may_be_named(tmp_path):
    (tmp_path / "other.toml").write_text("workers = 7\n")
    assert load({"config": str(tmp_path / "other.toml")}).workers == 7


@pytest.mark.parametrize("missing", ["issuer", "database_url"])
def test_what_is_missing_is_named(missing):
    with pytest.raises(SettingsError, match=f"{missing} is not set"):
        load({missing: None})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"issuer": "http://face.example"}, "https"),
        ({"issuer": "https://face.example/"}, "slash"),
        ({"issuer": "face.example"}, "issuer"),
        ({"issuer": "https://face.example/sub/path"}, "path"),
        ({"issuer": "https://face.example?x=1"}, "path"),
        ({"issuer": "https://user@face.example"}, "path"),
        ({"issuer": "https://FACE.example"}, "lower case"),
        ({"vault_backend": "keyring", "keyring_file": "/x"}, "development only"),
        ({"vault_backend": "none"}, "vault_backend"),
        ({"vault_url": None}, "vault_url"),
        ({"vault_token_file": None}, "vault_token_file"),
        ({"vault_url": "http://vault.example:8200"}, "https"),
        ({"keycloak_url": "sso.example"}, "keycloak_url"),
        ({"environment": "test"}, "environment"),
        ({"workers": "0"}, "workers"),
        ({"workers": "two"}, "workers"),
        ({"threads": "65"}, "threads"),
        ({"trusted_proxies": "-1"}, "trusted_proxies"),
        ({"listen_port": "65536"}, "listen_port"),
        ({"challenge_ttl_s": "31"}, "challenge_ttl_s"),
        ({"result_ttl_s": "61"}, "result_ttl_s"),
        ({"code_ttl_s": "1"}, "code_ttl_s"),
        ({"vault_timeout_s": "0"}, "vault_timeout_s"),
        ({"vault_timeout_s": "nan"}, "vault_timeout_s"),
        ({"log_level": "LOUD"}, "log_level"),
        ({"config": "/nowhere.toml"}, "does not exist"),
    ],
    ids=str,
)
def test_nonsense_stops_the_start_and_is_named(changes, named):
    with pytest.raises(SettingsError, match=named):
        load(changes)


def test_development_does_not_listen_beyond_loopback():
    with pytest.raises(SettingsError, match="loopback"):
        load({"listen_host": "0.0.0.0"}, base=DEVELOPMENT)  # noqa: S104  (the refused case)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("isuer = 'https://x'", "unknown setting 'isuer'"),
        ("workers = true", "whole number"),
        ("workers = 2.5", "workers"),
        ("issuer = ", "TOML"),
        ("[facestep]\nworkers = 2", "unknown setting 'facestep'"),
    ],
)
def test_a_file_with_a_mistake_is_not_read_over(tmp_path, text, named):
    (tmp_path / "facestep.toml").write_text(text)
    with pytest.raises(SettingsError, match=named):
        load()


def test_a_misspelt_variable_is_not_read_over():
    with pytest.raises(SettingsError, match="FACESTEP_WORKRES"):
        load({"workres": "2"})


def test_a_secret_is_not_a_setting():
    names = set(Settings.__dataclass_fields__)
    assert not {name for name in names if name.endswith(("_token", "_secret", "_password", "_key"))}
