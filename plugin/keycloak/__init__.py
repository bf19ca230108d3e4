"""Realm set-up and health check through python-keycloak."""
