"""Threat: a token that may do more than its role needs, by mistake or by a curious admin; and a stolen helpdesk token.

`facestep vault check` must find it by trying, and no policy that we ship may open what it should not.
"""

from __future__ import annotations

import pytest

from vault.interface import Context, Purpose, ToOpen, VaultDenied, VaultError, WrongContext
from vault.policies import Role, policy_name, policy_rules
from vault.transit import TransitSealer
from vault.transit_keys import key_name
from vault.transit_proof import prove, prove_with_new_token
from vault.transit_rotator import TransitRotator

pytestmark = pytest.mark.servers
ALICE = Context("https://idp.example", "alice", Purpose.REFERENCE)


@pytest.fixture
def sealed(vault):
    """A reference of Alice, as the service sealed it."""
    text = vault.sealer().seal(b"the marked face of alice", context=ALICE, associated_data=b"record")
    return ToOpen(text, ALICE, b"record")


def wrong(vault, role, rules):
    """Return what the check says of a token with the shipped policy of `role` and these rules besides."""
    vault.write_policy("facestep-test-more", rules.replace("MOUNT", vault.mount))
    token = vault.token_for(policy_name(role, vault.mount), "facestep-test-more")
    return [finding.sentence() for finding in prove(vault.client(token), role) if not finding.right]


@pytest.mark.parametrize("role", Role)
def test_the_shipped_policies_hold(vault, role):
    assert [finding for finding in prove_with_new_token(vault.admin, role) if not finding.right] == []


@pytest.mark.parametrize(
    ("path", "capability", "found"),
    [
        ("MOUNT/keys/facestep-reference", "read", "read the versions of facestep-reference"),
        ("MOUNT/export/encryption-key/facestep-reference", "read", "export facestep-reference"),
        ("MOUNT/export/*", "read", "export the audit key"),
        ("MOUNT/export/signing-key/facestep-audit", "read", "export the audit key"),
        ("MOUNT/backup/facestep-factor-secret", "read", "back up facestep-factor-secret"),
        ("MOUNT/datakey/plaintext/facestep-reference", "update", "make a data key of facestep-reference"),
        ("MOUNT/keys/facestep-ceremony/config", "update", "let facestep-ceremony be deleted"),
        ("MOUNT/keys/facestep-reference/trim", "update", "trim facestep-reference"),
        ("MOUNT/keys/facestep-reference/rotate", "update", "make a version of facestep-reference"),
        ("MOUNT/keys/facestep-mac/rotate", "update", "make a version of the MAC key"),
        ("MOUNT/keys/facestep-signing-key", "delete", "delete facestep-signing-key"),
        ("MOUNT/keys", "list", "list the keys"),
        ("MOUNT/rewrap/facestep-reference", "update", "re-wrap with facestep-reference"),
        ("MOUNT/*", "update", "let facestep-reference be deleted"),
        ("sys/policies/acl/*", "read", "read its policy"),
        ("sys/policies/acl/*", "update", "change its own policy"),
        ("sys/mounts", "read", "list the mounts"),
        ("sys/mounts/*", "update", "change the mount"),
        ("auth/token/create", "update", "make tokens"),
    ],
)
def test_whatever_the_service_may_do_besides_is_found(vault, path, capability, found):
    said = wrong(vault, Role.SERVICE, f'path "{path}" {{ capabilities = ["{capability}"] }}')
    assert any(found in sentence for sentence in said), said


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("role", [Role.ROTATOR, Role.HELPDESK])
@pytest.mark.parametrize("verb", ["encrypt", "decrypt"])
def test_a_rotator_or_helpdesk_that_could_encrypt_or_decrypt_is_found(vault, role, verb, purpose):
    key = key_name(purpose)
    said = wrong(vault, role, f'path "MOUNT/{verb}/{key}" {{ capabilities = ["update"] }}')
    if role is Role.HELPDESK and verb == "decrypt":
        assert said == []  # its policy's denial wins, so there is nothing to find
    else:
        assert said == [f"{role.value}: {verb} with {key} was let through"]


def test_a_policy_that_was_made_wider_by_hand_is_found(vault, tmp_path):
    name = policy_name(Role.HELPDESK, vault.mount)
    edited = policy_rules(Role.HELPDESK, vault.mount).replace('capabilities = ["deny"]', 'capabilities = ["update"]')
    vault.write_policy(name, edited)
    try:
        said = [each.sentence() for each in prove_with_new_token(vault.admin, Role.HELPDESK) if not each.right]
    finally:
        vault.write_policy(name, policy_rules(Role.HELPDESK, vault.mount))
    assert "helpdesk: decrypt with facestep-reference was let through" in said


def test_a_policy_that_was_made_narrower_is_found_too(vault):
    vault.write_policy("facestep-test-less", 'path "sys/capabilities-self" { capabilities = ["update"] }')
    client = vault.client(vault.token_for("facestep-test-less"))
    said = {each.sentence() for each in prove(client, Role.SERVICE) if not each.right}
    assert "service: decrypt with facestep-reference was denied" in said


def test_a_token_that_may_not_even_ask_is_no_proof(vault):
    vault.write_policy("facestep-test-none", 'path "sys/health" { capabilities = ["read"] }')
    with pytest.raises(VaultDenied):
        prove(vault.client(vault.token_for("facestep-test-none")), Role.SERVICE)


def test_the_helpdesk_opens_nothing_not_even_with_the_services_policy_beside_its_own(vault, sealed):
    both = vault.token_for(policy_name(Role.HELPDESK, vault.mount), policy_name(Role.SERVICE, vault.mount))
    for client in (vault.client_as(Role.HELPDESK), vault.client(both)):
        with pytest.raises(VaultDenied):
            TransitSealer.on(client).open(sealed.sealed, context=ALICE, associated_data=b"record")
        with pytest.raises(VaultDenied):
            TransitRotator(client).rewrap_many([sealed])


def test_the_rotator_opens_nothing_and_moves_nothing_to_another_person(vault, sealed):
    client = vault.client_as(Role.ROTATOR)
    with pytest.raises(VaultDenied):
        TransitSealer.on(client).open(sealed.sealed, context=ALICE, associated_data=b"record")
    stolen = ToOpen(sealed.sealed, Context(ALICE.issuer, "mallory", Purpose.REFERENCE), b"record")
    assert isinstance(TransitRotator(client).rewrap_many([stolen])[0], WrongContext)


@pytest.mark.parametrize("setting", ["deletion_allowed", "exportable", "allow_plaintext_backup"])
def test_the_rotator_cannot_make_a_key_leave_or_vanish(vault, setting):
    """It may change one setting of a key, so the others must be denied, alone and beside that one."""
    client = vault.client_as(Role.ROTATOR)
    for body in ({setting: True}, {setting: True, "min_decryption_version": 1}):
        with pytest.raises(VaultDenied):
            client.call("POST", f"{vault.mount}/keys/facestep-reference/config", body, action="attack")
    with pytest.raises(VaultError):
        client.call("DELETE", f"{vault.mount}/keys/facestep-reference", action="attack")


@pytest.mark.parametrize(
    ("role", "table"),
    [
        (Role.ROTATOR, "ceremonies"),
        (Role.ROTATOR, "webauthn_credentials"),
        (Role.ROTATOR, "recovery_codes"),
        (Role.HELPDESK, "ceremonies"),
        (Role.HELPDESK, "face_references"),
        (Role.HELPDESK, "totp_secrets"),
    ],
)
def test_nobody_but_the_service_signs_rows_that_log_people_in(vault, role, table):
    sealer = vault.sealer(role)
    with pytest.raises(VaultDenied):
        sealer.mac(b"columns", label=f"row:{table}")
    batch = {"input": "", "batch_input": [{"input": "AAAA"}]}
    with pytest.raises(VaultDenied):
        sealer.client.transit("hmac", "facestep-mac", batch, action="attack")


@pytest.mark.parametrize("role", [Role.ROTATOR, Role.HELPDESK])
def test_nobody_but_the_service_signs_checkpoints(vault, role):
    with pytest.raises(VaultDenied):
        vault.sealer(role).sign(b"checkpoint", label="checkpoint")
