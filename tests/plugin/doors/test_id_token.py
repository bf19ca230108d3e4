from datetime import timedelta

from plugin.ceremonies.types import Purpose, RedeemedResult
from plugin.doors.id_token import id_token_claims
from tests.fakes.realm import NOW, SERVICE


def claims(**changes):
    values = {
        "issuer": "https://sso.example/realms/staff",
        "subject": "user-1",
        "purpose": Purpose.LOGIN,
        "amr": ("hwk", "face"),
        "acr": "facestep",
        "auth_time": NOW - timedelta(seconds=5),
        "nonce": "n",
        "reference_id": "ref-1",
        "ceremony_id": "c",
    }
    return id_token_claims(RedeemedResult(**{**values, **changes}), issuer=SERVICE, ttl_s=60, jti="j", now=NOW)


def test_a_login_says_who_how_and_when():
    seconds = int(NOW.timestamp())
    assert claims() == {
        "iss": SERVICE,
        "aud": "https://sso.example/realms/staff",
        "sub": "user-1",
        "nonce": "n",
        "purpose": "login",
        "amr": ["hwk", "face"],
        "acr": "facestep",
        "auth_time": seconds - 5,
        "iat": seconds,
        "exp": seconds + 60,
        "jti": "j",
    }


def test_an_enrolment_names_its_reference():
    assert claims(purpose=Purpose.ENROL)["reference_id"] == "ref-1"


def test_a_level_that_was_not_reached_is_not_claimed():
    assert "acr" not in claims(acr="")
