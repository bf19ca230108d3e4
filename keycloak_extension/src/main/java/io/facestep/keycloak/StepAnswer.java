package io.facestep.keycloak;

import java.util.List;
import java.util.regex.Pattern;

import jakarta.ws.rs.core.MultivaluedMap;

/**
 * What the browser brought back: nothing, a code, or an error. Untrusted.
 *
 * <p>A parameter given twice counts as absent, so that no two readers can see different values.
 */
record StepAnswer(String code, String state, String error) {

    private static final Pattern PLAIN = Pattern.compile("[a-z_]{1,64}");
    private static final int LONGEST_CODE = 512;

    /** The person chose to leave; the service's public word for it. */
    static final String CANCELLED = "cancelled";

    static StepAnswer of(MultivaluedMap<String, String> query) {
        String error = single(query, "error");
        if (error != null) {
            String description = single(query, "error_description");
            error = description == null ? error : description;
            error = PLAIN.matcher(error).matches() ? error : "unreadable_error";
        }
        String code = single(query, "code");
        return new StepAnswer(code != null && code.length() <= LONGEST_CODE ? code : null, single(query, "state"), error);
    }

    /** True if the browser came without an answer: a page refresh, or the button "try again". */
    boolean isEmpty() {
        return code == null && error == null;
    }

    /** A code does not print. */
    @Override
    public String toString() {
        return "StepAnswer[" + (error == null ? "code" : error) + "]";
    }

    private static String single(MultivaluedMap<String, String> query, String name) {
        List<String> values = query.get(name);
        return values == null || values.size() != 1 || values.get(0).isBlank() ? null : values.get(0);
    }
}
