"""People who lost their factors, and the staff that gets them back in. No Flask, no Keycloak, no SMTP in here."""
