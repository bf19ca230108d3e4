# facestep-rotator: `facestep vault rotate`. It makes new versions of keys and moves sealed values to them inside the vault.
# It cannot decrypt, encrypt, export or delete, and of a key's settings it can change one.

path "transit/keys/facestep-reference" {
  capabilities = ["read"]
}
path "transit/keys/facestep-reference/rotate" {
  capabilities = ["update"]
}
path "transit/keys/facestep-reference/config" {
  capabilities = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
  }
}
path "transit/rewrap/facestep-reference" {
  capabilities = ["update"]
}
path "transit/keys/facestep-factor-secret" {
  capabilities = ["read"]
}
path "transit/keys/facestep-factor-secret/rotate" {
  capabilities = ["update"]
}
path "transit/keys/facestep-factor-secret/config" {
  capabilities = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
  }
}
path "transit/rewrap/facestep-factor-secret" {
  capabilities = ["update"]
}
path "transit/keys/facestep-ceremony" {
  capabilities = ["read"]
}
path "transit/keys/facestep-ceremony/rotate" {
  capabilities = ["update"]
}
path "transit/keys/facestep-ceremony/config" {
  capabilities = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
  }
}
path "transit/keys/facestep-signing-key" {
  capabilities = ["read"]
}
path "transit/keys/facestep-signing-key/rotate" {
  capabilities = ["update"]
}
path "transit/keys/facestep-signing-key/config" {
  capabilities = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
  }
}
path "transit/rewrap/facestep-signing-key" {
  capabilities = ["update"]
}

# A re-wrapped row needs a new MAC: the MAC keys of the tables face_references and totp_secrets, of no other table.
path "transit/hmac/facestep-mac" {
  capabilities = ["update"]
  allowed_parameters = {
    "input" = [
      "cwAAAANtYWNzAAAAE3JvdzpmYWNlX3JlZmVyZW5jZXM=",
      "cwAAAANtYWNzAAAAEHJvdzp0b3RwX3NlY3JldHM=",
    ]
    "key_version" = []
    "algorithm" = ["sha2-256"]
  }
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
