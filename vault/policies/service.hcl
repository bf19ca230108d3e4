# facestep-service: the running service. It uses our keys; it cannot read, make, export, rotate, change or delete one.
# Other mount than "transit": `facestep vault policy service` prints these rules for the mount of the settings.

path "transit/encrypt/facestep-reference" {
  capabilities = ["update"]
}
path "transit/decrypt/facestep-reference" {
  capabilities = ["update"]
}
path "transit/encrypt/facestep-factor-secret" {
  capabilities = ["update"]
}
path "transit/decrypt/facestep-factor-secret" {
  capabilities = ["update"]
}
path "transit/encrypt/facestep-ceremony" {
  capabilities = ["update"]
}
path "transit/decrypt/facestep-ceremony" {
  capabilities = ["update"]
}
path "transit/encrypt/facestep-signing-key" {
  capabilities = ["update"]
}
path "transit/decrypt/facestep-signing-key" {
  capabilities = ["update"]
}

# Keys of row MACs and of transforms.
path "transit/hmac/facestep-mac" {
  capabilities = ["update"]
}

# Signed checkpoints of the audit log; reading this key gives its public half only.
path "transit/sign/facestep-audit" {
  capabilities = ["update"]
}
path "transit/keys/facestep-audit" {
  capabilities = ["read"]
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
