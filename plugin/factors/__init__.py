"""What a factor means: face, totp, webauthn, recovery codes, policy. No Flask here."""
