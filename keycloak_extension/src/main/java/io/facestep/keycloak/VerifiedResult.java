package io.facestep.keycloak;

import java.util.List;

/**
 * Proof that the living owner of the account was present. Only {@link ResultCheck} makes one.
 *
 * @param amr how the person proved it: {@code face} and a possession factor
 * @param referenceId opaque name of the enrolled reference; null after a login
 */
record VerifiedResult(String subject, String acr, List<String> amr, String referenceId) {
}
