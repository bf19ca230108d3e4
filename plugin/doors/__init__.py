"""Identity providers come in here: OpenID provider, client registry, signed requests."""
