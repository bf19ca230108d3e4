"""Letters over a real SMTP conversation on loopback."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from plugin.errors import ServiceError, SettingsError
from plugin.mail import SmtpPost
from tests.fakes.door import settings
from tests.fakes.mailbox import Mailbox


def post(port: int) -> SmtpPost:
    return SmtpPost(
        SimpleNamespace(mail_server=f"smtp://127.0.0.1:{port}", mail_from="desk@example.org", mail_password_file=None)
    )


def test_each_address_gets_a_letter_of_its_own():
    with Mailbox() as mailbox:
        post(mailbox.port).send(["a@example.org", "b@example.org"], subject="Hello", text="A pass was issued.\n")
        assert [letter.strip() for letter in mailbox.letters] == ["A pass was issued."] * 2


def test_a_server_that_is_away_is_one_error_without_the_address():
    with pytest.raises(ServiceError, match="mail_failed") as failed:
        post(1).send(["a@example.org"], subject="Hello", text="x")
    assert "a@example.org" not in str(failed.value)


def test_a_line_break_in_an_address_sends_nothing():
    with Mailbox() as mailbox:
        with pytest.raises(ServiceError, match="mail_failed"):
            post(mailbox.port).send(["a@example.org\nBcc: eve@example.org"], subject="Hello", text="x")
        assert mailbox.letters == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"helpdesk_issuer": "https://sso.example/realms/staff"}, "needs mail_server and mail_from"),
        ({"helpdesk_issuer": "http://sso.example/realms/staff"}, "must be a realm's issuer"),
        ({"mail_server": "smtp://mail.example:25"}, "this machine only"),
        ({"mail_server": "smtps://user@mail.example"}, "mail_password_file"),
        ({"mail_server": "mail.example"}, "must be smtps"),
        (
            {"helpdesk_issuer": "https://sso.example/realms/staff", "helpdesk_addresses": "all"},
            "must be verified or recorded",
        ),
        ({"helpdesk_policy_file": "policy.toml"}, "helpdesk_issuer is not"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(tmp_path, changes, said):
    with pytest.raises(SettingsError, match=said):
        settings(tmp_path, **changes)
