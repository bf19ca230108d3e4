"""Set up and check a Keycloak realm.

Rules:
 * Every wish for a realm is one item that can look and, where a program may, mend. `install` mends what looks wrong,
   `check` only looks. So a second install changes nothing, and check and install never disagree.
 * A hole is worse than a missing comfort: flows that lead around the face step are items too.

Not here: what Keycloak does at a login (keycloak_extension/).
"""
