package io.facestep.keycloak;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Optional;

import org.keycloak.sessions.AuthenticationSessionModel;
import org.keycloak.util.JsonSerialization;

/**
 * What this login remembers while the person is away at the service.
 *
 * <p>Rules: it lives in the authentication session, never in the browser; a new step replaces an old one; {@link #take} removes
 * it before the answer is judged, so that no answer is judged twice.
 */
record PendingStep(Purpose purpose, String state, String nonce, String codeVerifier, String redirectUri, long startedAt) {

    private static final String NOTE = "facestep.pending";

    /** 32 bytes: RFC 7636 4.1 recommends this for the verifier; state and nonce get the same. */
    private static final int SECRET_BYTES = 32;

    static PendingStep begin(Purpose purpose, String redirectUri, long now, SecureRandom random) {
        return new PendingStep(purpose, secret(random), secret(random), secret(random), redirectUri, now);
    }

    void storeIn(AuthenticationSessionModel session) {
        try {
            session.setAuthNote(NOTE, JsonSerialization.writeValueAsString(this));
        } catch (IOException e) {
            throw new IllegalStateException("a pending step could not be written", e);
        }
    }

    /** Return the step that this login began, and forget it. */
    static Optional<PendingStep> take(AuthenticationSessionModel session) {
        String note = session.getAuthNote(NOTE);
        session.removeAuthNote(NOTE);
        if (note == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(JsonSerialization.readValue(note, PendingStep.class));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** RFC 7636 4.2, method S256. */
    String codeChallenge() {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(codeVerifier.getBytes(StandardCharsets.US_ASCII));
            return encode(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is part of every Java platform", e);
        }
    }

    boolean hasState(String candidate) {
        return candidate != null
                && MessageDigest.isEqual(state.getBytes(StandardCharsets.UTF_8), candidate.getBytes(StandardCharsets.UTF_8));
    }

    /** Secrets do not print. */
    @Override
    public String toString() {
        return "PendingStep[" + purpose + "]";
    }

    private static String secret(SecureRandom random) {
        byte[] bytes = new byte[SECRET_BYTES];
        random.nextBytes(bytes);
        return encode(bytes);
    }

    private static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
