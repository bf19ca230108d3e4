package io.facestep.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.keycloak.sessions.AuthenticationSessionModel;

@DisplayName("A pending step")
class PendingStepTest {

    private final SecureRandom random = new SecureRandom();
    private final AuthenticationSessionModel session = sessionWithNotes(new HashMap<>());

    private PendingStep begun() {
        return PendingStep.begin(Purpose.LOGIN, "https://sso.example.org/realms/staff/login-actions/x", 100, random);
    }

    /** An authentication session that holds notes and nothing else. */
    static AuthenticationSessionModel sessionWithNotes(Map<String, String> notes) {
        return (AuthenticationSessionModel) Proxy.newProxyInstance(PendingStepTest.class.getClassLoader(),
                new Class<?>[] {AuthenticationSessionModel.class}, (proxy, method, args) -> switch (method.getName()) {
                    case "getAuthNote" -> notes.get((String) args[0]);
                    case "setAuthNote" -> notes.put((String) args[0], (String) args[1]);
                    case "removeAuthNote" -> notes.remove((String) args[0]);
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    @Test
    @DisplayName("comes back as it was stored")
    void round_trip() {
        PendingStep step = begun();
        step.storeIn(session);
        assertEquals(Optional.of(step), PendingStep.take(session));
    }

    @Test
    @DisplayName("can be taken once")
    void single_use() {
        begun().storeIn(session);
        assertTrue(PendingStep.take(session).isPresent());
        assertTrue(PendingStep.take(session).isEmpty());
    }

    @Test
    @DisplayName("replaces the one before")
    void replaced() {
        PendingStep second = begun();
        begun().storeIn(session);
        second.storeIn(session);
        assertEquals(second, PendingStep.take(session).orElseThrow());
    }

    @Test
    @DisplayName("that cannot be read is none")
    void damaged() {
        assertTrue(PendingStep.take(sessionWithNotes(new HashMap<>(Map.of("facestep.pending", "{")))).isEmpty());
    }

    @Test
    @DisplayName("has secrets of its own")
    void own_secrets() {
        PendingStep one = begun();
        PendingStep two = begun();
        assertNotEquals(one.state(), two.state());
        assertNotEquals(one.nonce(), two.nonce());
        assertNotEquals(one.codeVerifier(), two.codeVerifier());
        assertNotEquals(one.state(), one.nonce());
        assertEquals(43, one.codeVerifier().length());
    }

    @Test
    @DisplayName("knows its state and no other")
    void state() {
        PendingStep step = begun();
        assertTrue(step.hasState(step.state()));
        assertFalse(step.hasState(begun().state()));
        assertFalse(step.hasState(null));
        assertFalse(step.hasState(""));
    }

    @Test
    @DisplayName("makes the challenge of RFC 7636, appendix B")
    void challenge() {
        PendingStep step = new PendingStep(Purpose.LOGIN, "s", "n", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "u", 0);
        assertEquals("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", step.codeChallenge());
    }

    @Test
    @DisplayName("does not print its secrets")
    void does_not_print() {
        PendingStep step = begun();
        assertFalse(step.toString().contains(step.state()));
        assertFalse(step.toString().contains(step.codeVerifier()));
    }
}
