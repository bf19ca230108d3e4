"""JSON for the pages and for the Keycloak extension: parse, call a factor, answer."""
