package io.facestep.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A signed request")
class StepRequestTest {

    private static final String ISSUER = "https://sso.example.org/realms/staff";
    private static final String SERVICE = "https://face.example.org";

    private final PendingStep step = new PendingStep(Purpose.ENROL, "the-state", "the-nonce", "the-verifier", ISSUER + "/login-actions/x", 5);
    private final Map<String, Object> claims =
            StepRequest.claims(step, new StepRequest.Person("u-1", "alice", "de"), ISSUER, SERVICE, 1000, "j-1");

    @Test
    @DisplayName("is from this realm, for this service, for a short time, once")
    void envelope() {
        assertEquals(ISSUER, claims.get("iss"));
        assertEquals(ISSUER, claims.get("client_id"));
        assertEquals(SERVICE, claims.get("aud"));
        assertEquals(1000L, claims.get("iat"));
        assertEquals(1000L + StepRequest.LIFE_S, claims.get("exp"));
        assertEquals("j-1", claims.get("jti"));
        assertTrue(StepRequest.LIFE_S <= 300);
    }

    @Test
    @DisplayName("carries the step's own state, nonce and address")
    void step() {
        assertEquals("the-state", claims.get("state"));
        assertEquals("the-nonce", claims.get("nonce"));
        assertEquals(ISSUER + "/login-actions/x", claims.get("redirect_uri"));
        assertEquals("enrol", claims.get("purpose"));
    }

    @Test
    @DisplayName("never carries the verifier, only its hash")
    void verifier_stays() {
        assertEquals("S256", claims.get("code_challenge_method"));
        assertEquals(step.codeChallenge(), claims.get("code_challenge"));
        assertFalse(claims.toString().contains("the-verifier"));
    }

    @Test
    @DisplayName("names the account by its id; the name is for display")
    void person() {
        assertEquals("u-1", claims.get("sub"));
        assertEquals("alice", claims.get("preferred_username"));
        assertEquals("de", claims.get("ui_locales"));
        assertEquals("facestep", claims.get("acr_values"));
    }

    @Test
    @DisplayName("leaves an unknown language out")
    void no_language() {
        assertFalse(StepRequest.claims(step, new StepRequest.Person("u", "n", null), ISSUER, SERVICE, 0, "j").containsKey("ui_locales"));
    }

    @Test
    @DisplayName("goes to the service with nothing beside it but the client's name")
    void address() {
        assertEquals(SERVICE + "/authorize?client_id=https%3A%2F%2Fsso.example.org%2Frealms%2Fstaff&request=a.b.c",
                StepRequest.address(SERVICE, ISSUER, "a.b.c").toString());
    }
}
