"""Install and check against a real Keycloak: a second install changes nothing, every broken setting is found."""

from __future__ import annotations

import json
from contextlib import contextmanager
from urllib.parse import quote

import pytest

from plugin.errors import ServiceError
from plugin.keycloak.admin import RealmAdmin

pytestmark = pytest.mark.servers


def right_again(house, name):
    """Install mends exactly this, and then check is content with it."""
    assert [one.name for one in house.setup().install() if one.changed] == [name]
    assert house.check()[name].right


def assert_wrong(house, name):
    found = house.check()[name]
    assert not found.right
    assert found.mend


def face_execution(house, flow="facestep browser"):
    executions = house.admin.get(f"/authentication/flows/{quote(flow)}/executions")
    return next(one for one in executions if one.get("providerId") == "facestep-authenticator")


def test_a_second_install_changes_nothing_and_says_so(house):
    done = house.facestep("install", "--create-realm")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "nothing to change"


def test_check_is_content_with_an_installed_realm(house):
    done = house.facestep("check", "--json")
    assert done.returncode == 0, done.stdout
    found = json.loads(done.stdout)
    assert found["right"] is True
    assert [one for one in found["items"] if not one["right"]] == []


def test_check_prints_a_table_with_what_to_do(house):
    house.admin.update({"bruteForceProtected": False})
    done = house.facestep("check")
    assert done.returncode == 1
    assert "WRONG  brute-force protection" in done.stdout
    assert "mend: run `facestep keycloak install`" in done.stdout
    right_again(house, "brute-force protection")


def test_a_face_step_that_is_only_an_alternative_is_found_and_mended(house):
    name = "flow 'facestep browser'"
    execution = face_execution(house)
    path = f"/authentication/flows/{quote('facestep browser')}/executions"
    house.admin.put(path, {**execution, "requirement": "DISABLED"})
    assert_wrong(house, name)
    right_again(house, name)


def test_a_wrong_address_of_the_service_is_found_and_mended(house):
    name = "flow 'facestep browser'"
    config_id = face_execution(house)["authenticationConfig"]
    config = house.admin.get(f"/authentication/config/{config_id}")
    evil = {**config, "config": {**config["config"], "facestep.url": "https://face.evil.example"}}
    house.admin.put(f"/authentication/config/{config_id}", evil)
    assert_wrong(house, name)
    right_again(house, name)


@pytest.mark.parametrize(
    ("field", "built_in", "flow"),
    [
        ("browserFlow", "browser", "facestep browser"),
        ("resetCredentialsFlow", "reset credentials", "facestep reset credentials"),
        ("directGrantFlow", "direct grant", "facestep direct grant"),
    ],
)
def test_a_flow_that_is_not_used_is_found_and_mended(house, field, built_in, flow):
    house.admin.update({field: built_in})
    assert_wrong(house, f"realm uses '{flow}'")
    right_again(house, f"realm uses '{flow}'")


def test_a_switched_off_required_action_is_found_and_mended(house):
    for action in ("facestep-enrol", "delete_credential"):
        stored = house.admin.get(f"/authentication/required-actions/{action}")
        house.admin.put(f"/authentication/required-actions/{action}", {**stored, "enabled": False})
        assert_wrong(house, f"required action '{action}'")
        right_again(house, f"required action '{action}'")


def test_enrolment_as_a_default_for_everybody_is_found_and_mended(house):
    stored = house.admin.get("/authentication/required-actions/facestep-enrol")
    house.admin.put("/authentication/required-actions/facestep-enrol", {**stored, "defaultAction": True})
    assert_wrong(house, "required action 'facestep-enrol'")
    right_again(house, "required action 'facestep-enrol'")


def test_a_lost_level_is_found_and_mended_and_others_are_kept(house):
    house.admin.set_attribute("acr.loa.map", '{"gold": 2, "facestep": 1}')
    assert_wrong(house, "acr to level")
    right_again(house, "acr to level")
    assert json.loads(house.admin.representation()["attributes"]["acr.loa.map"]) == {"gold": 2, "facestep": 2}
    house.admin.set_attribute("acr.loa.map", '{"facestep": 2}')


def test_a_client_without_the_scope_is_found_and_mended(house):
    scope = next(one for one in house.admin.get("/client-scopes") if one["name"] == "facestep")
    client = next(one for one in house.admin.get("/clients") if one["clientId"] == "application")
    house.admin.delete(f"/clients/{client['id']}/default-client-scopes/{scope['id']}")
    name = "clients have scope 'facestep'"
    assert_wrong(house, name)
    right_again(house, name)


def test_a_mapper_that_never_expires_is_found_and_mended(house):
    scope = next(one for one in house.admin.get("/client-scopes") if one["name"] == "facestep")
    mapper = scope["protocolMappers"][0]
    path = f"/client-scopes/{scope['id']}/protocol-mappers/models/{mapper['id']}"
    house.admin.put(path, {**mapper, "config": {**mapper["config"], "facestep.max.age": "999999999"}})
    assert_wrong(house, "client scope 'facestep'")
    right_again(house, "client scope 'facestep'")


@contextmanager
def client_with_its_own_flow(house):
    flow = next(one for one in house.admin.get("/authentication/flows") if one["alias"] == "browser")
    body = {"clientId": "around", "authenticationFlowBindingOverrides": {"browser": flow["id"]}}
    made = house.admin.post("/clients", body)
    yield
    house.admin.delete(f"/clients/{made}")


def test_a_client_that_goes_around_the_flow_is_found(house):
    with client_with_its_own_flow(house):
        found = house.check()["no client goes around the flow"]
        assert not found.right
        assert "around" in found.seen


def test_a_broker_without_the_step_is_found(house):
    body = {"alias": "partner", "providerId": "oidc", "enabled": True, "config": {"clientId": "x", "clientSecret": "y"}}
    house.admin.post("/identity-provider/instances", body)
    try:
        assert_wrong(house, "brokered logins pass the step")
    finally:
        house.admin.delete("/identity-provider/instances/partner")


def test_self_registration_without_the_step_is_found(house):
    house.admin.update({"registrationAllowed": True})
    try:
        assert_wrong(house, "self-registration passes the step")
    finally:
        house.admin.update({"registrationAllowed": False})


def test_plain_http_from_outside_is_found(house):
    house.admin.update({"sslRequired": "none"})
    try:
        assert_wrong(house, "TLS")
    finally:
        house.admin.update({"sslRequired": "external"})


def test_a_service_that_is_away_is_found(house):
    house.door.stop()
    assert_wrong(house, "Facestep service")


def test_a_realm_that_is_not_there_is_one_line(house):
    done = house.facestep("check", realm="nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("facestep: realm_missing: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_admin_password_is_one_line_without_the_password(house):
    done = house.facestep("check", env={"KEYCLOAK_ADMIN_PASSWORD": "wrong-password"})
    assert done.returncode == 2
    assert done.stderr.startswith("facestep: keycloak_denied: ")
    assert "wrong-password" not in done.stderr


def test_a_password_in_the_arguments_is_not_taken(house):
    done = house.facestep("check", "--admin-password", "x")
    assert done.returncode == 2
    assert "can be read by every user" in done.stderr


def test_a_server_that_is_away_is_one_line():
    with pytest.raises(ServiceError) as refused:
        RealmAdmin("http://localhost:9", "staff", user="admin", password="x").exists()
    assert refused.value.code == "keycloak_unavailable"


def test_check_says_which_groups_of_the_helpdesk_s_policy_are_not_there(house, tmp_path):
    def found(*names):
        rules = "".join(f'[[group]]\nname = "{name}"\nproofs = ["document"]\nfour_eyes = true\n' for name in names)
        policy = tmp_path / "policy.toml"
        policy.write_text(rules)
        done = house.facestep("check", "--helpdesk-policy", str(policy), "--json")
        items = {one["name"]: one for one in json.loads(done.stdout)["items"]}
        return items["groups of the helpdesk's policy"]

    group = house.admin.post("/groups", {"name": "site admins"})
    try:
        house.admin.post(f"/groups/{group}/children", {"name": "emea"})
        assert found("/site admins", "/site admins/emea")["right"]
        wrong = found("/site admins", "/site admins/apac", "/Site Admins")
        assert (wrong["right"], wrong["seen"]) == (False, "not there: /site admins/apac, /Site Admins")
    finally:
        house.admin.delete(f"/groups/{group}")
