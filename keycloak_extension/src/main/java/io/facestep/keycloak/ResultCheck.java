package io.facestep.keycloak;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Decides whether the claims of a result prove what this login asked.
 *
 * <pre>
 *  0. first use       PendingStep.take() forgot the step before we look at anything; the caller's
 *  1. signature       only the service may speak; the caller's, see SignedResult
 *  2. issuer          another service's result proves nothing
 *  3. audience        a result for another realm proves nothing here
 *  4. not expired     a result is for now; it must also not claim a long life
 *  5. not older       than this step: yesterday's result must not open today's login
 *  6. nonce           a result of another login at this realm, same person, proves nothing
 *  7. subject         a result must not open somebody else's account
 *  8. purpose         an enrolment must not count as a login, nor a login as an enrolment
 *  9. acr             as asked
 * 10. amr             a face alone is not enough (NIST SP 800-63B-4 3.2.3): a possession factor is with it
 * 11. reference       an enrolment names what was enrolled
 * </pre>
 */
record ResultCheck(String expectedIssuer, String expectedAudience, String expectedSubject, PendingStep expectedStep) {

    /** Two hosts under NTP differ by far less; it only absorbs rounding and a slow clock. */
    static final long CLOCK_SKEW_S = 10;

    /** The contract's longest life of a result. */
    static final long LONGEST_LIFE_S = 60;

    private static final Set<String> POSSESSION = Set.of("otp", "hwk", "swk");

    VerifiedResult verify(JsonNode claims, long now) throws StepFailure.Refused {
        require(equal(expectedIssuer, text(claims, "iss")), "result_wrong_issuer");                         // (2)
        require(equal(expectedAudience, audience(claims.path("aud"))), "result_wrong_audience");            // (3)
        long issued = seconds(claims, "iat");
        long expires = seconds(claims, "exp");
        require(now < expires + CLOCK_SKEW_S && expires - issued <= LONGEST_LIFE_S, "result_expired");      // (4)
        require(issued >= expectedStep.startedAt() - CLOCK_SKEW_S && issued <= now + CLOCK_SKEW_S, "result_not_fresh"); // (5)
        require(equal(expectedStep.nonce(), text(claims, "nonce")), "result_wrong_nonce");                  // (6)
        require(equal(expectedSubject, text(claims, "sub")), "result_wrong_subject");                       // (7)
        require(equal(expectedStep.purpose().claim(), text(claims, "purpose")), "result_wrong_purpose");    // (8)
        require(equal(FacestepConfig.ACR, text(claims, "acr")), "result_wrong_acr");                        // (9)
        List<String> amr = words(claims.path("amr"));
        require(amr.contains("face") && !Collections.disjoint(amr, POSSESSION), "result_wrong_amr");        // (10)
        String reference = text(claims, "reference_id");
        require(expectedStep.purpose() == Purpose.LOGIN || !reference.isEmpty(), "result_without_reference"); // (11)
        return new VerifiedResult(expectedSubject, FacestepConfig.ACR, List.copyOf(amr), reference.isEmpty() ? null : reference);
    }

    private static void require(boolean holds, String code) throws StepFailure.Refused {
        if (!holds) {
            throw new StepFailure.Refused(code);
        }
    }

    private static boolean equal(String expected, String seen) {
        return !seen.isEmpty() && MessageDigest.isEqual(expected.getBytes(StandardCharsets.UTF_8), seen.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(JsonNode claims, String name) {
        JsonNode value = claims.path(name);
        return value.isTextual() ? value.textValue() : "";
    }

    private static long seconds(JsonNode claims, String name) throws StepFailure.Refused {
        JsonNode value = claims.path(name);
        require(value.isIntegralNumber() && value.canConvertToInt(), "result_without_times");
        return value.longValue();
    }

    /** One audience, as text or as a list of one; a result for several parties is nobody's in particular. */
    private static String audience(JsonNode value) {
        JsonNode only = value.isArray() && value.size() == 1 ? value.get(0) : value;
        return only.isTextual() ? only.textValue() : "";
    }

    private static List<String> words(JsonNode value) {
        List<String> words = new ArrayList<>();
        if (value.isArray()) {
            value.forEach(item -> words.add(item.isTextual() ? item.textValue() : ""));
        }
        return words;
    }
}
