# facestep-helpdesk: `facestep invite` and reading the audit log, for people who help others. It can never decrypt: a denial
# wins over what another policy of the same token allows for the same path, which is why the keys are named one by one.

# The MAC key of the table invitations, and the try of `facestep vault check`.
path "transit/hmac/facestep-mac" {
  capabilities = ["update"]
  allowed_parameters = {
    "input" = [
      "cwAAAANtYWNzAAAAD3JvdzppbnZpdGF0aW9ucw==",
      "cwAAAAZkZXJpdmVzAAAADmZhY2VzdGVwOmNoZWNrYgAAAAA=",
    ]
    "key_version" = []
    "algorithm" = ["sha2-256"]
  }
}

# Verify the audit log's checkpoints: the public half of the key.
path "transit/keys/facestep-audit" {
  capabilities = ["read"]
}

path "transit/decrypt/facestep-reference" {
  capabilities = ["deny"]
}
path "transit/decrypt/facestep-factor-secret" {
  capabilities = ["deny"]
}
path "transit/decrypt/facestep-ceremony" {
  capabilities = ["deny"]
}
path "transit/decrypt/facestep-signing-key" {
  capabilities = ["deny"]
}
path "transit/decrypt/*" {
  capabilities = ["deny"]
}
path "transit/rewrap/facestep-reference" {
  capabilities = ["deny"]
}
path "transit/rewrap/facestep-factor-secret" {
  capabilities = ["deny"]
}
path "transit/rewrap/facestep-ceremony" {
  capabilities = ["deny"]
}
path "transit/rewrap/facestep-signing-key" {
  capabilities = ["deny"]
}
path "transit/rewrap/*" {
  capabilities = ["deny"]
}
path "transit/datakey/*" {
  capabilities = ["deny"]
}
path "transit/export/*" {
  capabilities = ["deny"]
}
path "transit/backup/*" {
  capabilities = ["deny"]
}
path "transit/byok-export/*" {
  capabilities = ["deny"]
}

# Its own token: keep it alive, give it back, and ask what it may do (`facestep vault check`).
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
path "sys/capabilities-self" {
  capabilities = ["update"]
}
