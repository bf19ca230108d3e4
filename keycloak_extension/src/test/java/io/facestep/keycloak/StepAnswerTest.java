package io.facestep.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.ws.rs.core.MultivaluedHashMap;
import jakarta.ws.rs.core.MultivaluedMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The answer in the browser's address")
class StepAnswerTest {

    private static StepAnswer answer(String... pairs) {
        MultivaluedMap<String, String> query = new MultivaluedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            query.add(pairs[i], pairs[i + 1]);
        }
        return StepAnswer.of(query);
    }

    @Test
    @DisplayName("may be missing: a refresh or a new try")
    void nothing() {
        assertTrue(answer("session_code", "x").isEmpty());
    }

    @Test
    @DisplayName("is a code with its state")
    void code() {
        StepAnswer answer = answer("code", "c", "state", "s");
        assertEquals("c", answer.code());
        assertEquals("s", answer.state());
        assertNull(answer.error());
        assertFalse(answer.isEmpty());
    }

    @Test
    @DisplayName("is an error, whatever else is there")
    void error() {
        assertEquals("face_rejected", answer("error", "access_denied", "error_description", "face_rejected", "code", "c").error());
    }

    @Test
    @DisplayName("is an error also without a description")
    void plain_error() {
        assertEquals("access_denied", answer("error", "access_denied").error());
    }

    @Test
    @DisplayName("cannot write what it likes into the event log")
    void no_injection() {
        assertEquals("unreadable_error", answer("error", "access_denied", "error_description", "x\n2026 INFO login ok").error());
    }

    @Test
    @DisplayName("given twice is none")
    void twice() {
        assertNull(answer("code", "a", "code", "b").code());
        assertNull(answer("code", "a", "state", "s", "state", "t").state());
    }

    @Test
    @DisplayName("of absurd length is none")
    void long_code() {
        assertNull(answer("code", "c".repeat(513)).code());
    }

    @Test
    @DisplayName("does not print its code")
    void does_not_print() {
        assertFalse(answer("code", "secret-code").toString().contains("secret-code"));
    }
}
