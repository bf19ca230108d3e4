import json
import logging

from plugin.logs import JsonLines, configure_logging


def lines(caplog):
    return [record.facestep for record in caplog.records if record.name == "facestep.access"]


def test_one_line_a_request_without_its_query_string(door, caplog):
    caplog.set_level(logging.INFO)
    request = door.realm.request()
    door.authorize(request)
    (line,) = lines(caplog)
    assert (line["method"], line["route"], line["status"]) == ("GET", "/authorize", 303)
    assert request not in caplog.text
    assert "?" not in caplog.text


def test_a_ceremony_is_named_by_its_first_characters_only(door, caplog):
    path = door.authorize().headers["Location"]
    caplog.set_level(logging.INFO)
    caplog.clear()
    door.http.get(path)
    (line,) = lines(caplog)
    assert line["ceremony"] == path.removeprefix("/ceremony/")[:8]
    assert path.removeprefix("/ceremony/") not in caplog.text


def test_codes_and_assertions_reach_no_log(door, caplog):
    caplog.set_level(logging.DEBUG)
    code = door.code()
    assertion = door.realm.assertion()
    response = door.redeem(code, client_assertion=assertion)
    logged = "".join(JsonLines().format(r) for r in caplog.records if r.name.startswith("facestep"))
    for secret in (code, assertion, response.json["id_token"], response.json["access_token"], "v" * 43):
        assert secret not in logged


def test_libraries_that_log_tokens_are_quiet_even_at_debug():
    before = logging.getLogger().level, list(logging.getLogger().handlers)
    try:
        configure_logging("DEBUG")
        for name in ("authlib.oauth2.rfc6749.grants.authorization_code", "urllib3.connectionpool", "hvac"):
            assert not logging.getLogger(name).isEnabledFor(logging.INFO)
        assert logging.getLogger("facestep.error").isEnabledFor(logging.DEBUG)
    finally:
        logging.basicConfig(level=before[0], handlers=before[1], force=True)


def test_a_line_is_one_json_object():
    record = logging.LogRecord("x", logging.INFO, "f", 1, "hello %s", ("wor\nld",), None)
    text = JsonLines().format(record)
    assert "\n" not in text
    line = json.loads(text)
    assert (line["message"], line["level"], line["logger"]) == ("hello wor\nld", "INFO", "x")
