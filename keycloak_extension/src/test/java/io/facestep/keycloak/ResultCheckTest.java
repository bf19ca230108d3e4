package io.facestep.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.keycloak.util.JsonSerialization;

/** Each numbered check of {@link ResultCheck} is broken by a test of its own; everything else in the result stays right. */
@DisplayName("A result")
class ResultCheckTest {

    private static final long NOW = 1_800_000_000L;
    private static final String SERVICE = "https://face.example.org";
    private static final String REALM = "https://sso.example.org/realms/staff";

    private final PendingStep login = new PendingStep(Purpose.LOGIN, "state", "nonce-of-this-login", "verifier", "https://back", NOW - 30);
    private final PendingStep enrolment = new PendingStep(Purpose.ENROL, "state", "nonce-of-this-login", "verifier", "https://back", NOW - 30);

    private static ObjectNode good() {
        ObjectNode claims = JsonSerialization.mapper.createObjectNode();
        claims.put("iss", SERVICE).put("aud", REALM).put("sub", "alice").put("nonce", "nonce-of-this-login");
        claims.put("purpose", "login").put("acr", "facestep").put("iat", NOW - 1).put("exp", NOW + 59);
        claims.putArray("amr").add("face").add("hwk");
        return claims;
    }

    private ResultCheck check(PendingStep step) {
        return new ResultCheck(SERVICE, REALM, "alice", step);
    }

    private void refused(String code, ObjectNode claims) {
        refused(code, claims, login);
    }

    private void refused(String code, ObjectNode claims, PendingStep step) {
        assertEquals(code, assertThrows(StepFailure.Refused.class, () -> check(step).verify(claims, NOW)).code());
    }

    @Test
    @DisplayName("that is right in everything is proof")
    void good_result_is_proof() throws StepFailure {
        VerifiedResult result = check(login).verify(good(), NOW);
        assertEquals("alice", result.subject());
        assertEquals(List.of("face", "hwk"), result.amr());
        assertNull(result.referenceId());
    }

    @Test
    @DisplayName("(2) of another service is refused")
    void other_issuer() {
        refused("result_wrong_issuer", good().put("iss", SERVICE + ".evil"));
    }

    @Test
    @DisplayName("(3) for another realm is refused")
    void other_audience() {
        refused("result_wrong_audience", good().put("aud", "https://sso.example.org/realms/other"));
    }

    @Test
    @DisplayName("(3) for two realms is refused")
    void two_audiences() {
        ObjectNode claims = good();
        claims.putArray("aud").add(REALM).add("https://sso.example.org/realms/other");
        refused("result_wrong_audience", claims);
    }

    @Test
    @DisplayName("(3) with this realm as a list of one is good")
    void audience_as_list() throws StepFailure {
        ObjectNode claims = good();
        claims.putArray("aud").add(REALM);
        check(login).verify(claims, NOW);
    }

    @Test
    @DisplayName("(4) that has expired is refused")
    void expired() {
        refused("result_expired", good().put("iat", NOW - 25).put("exp", NOW - ResultCheck.CLOCK_SKEW_S));
    }

    @Test
    @DisplayName("(4) that claims a long life is refused")
    void long_life() {
        refused("result_expired", good().put("exp", NOW + 3600));
    }

    @Test
    @DisplayName("(4) without an expiry is refused")
    void no_expiry() {
        ObjectNode claims = good();
        claims.remove("exp");
        refused("result_without_times", claims);
    }

    @Test
    @DisplayName("(4) whose expiry is text is refused")
    void expiry_as_text() {
        refused("result_without_times", good().put("exp", "9999999999"));
    }

    @Test
    @DisplayName("(5) made before this step began is refused")
    void older_than_the_step() {
        refused("result_not_fresh", good().put("iat", NOW - 41).put("exp", NOW + 5));
    }

    @Test
    @DisplayName("(5) from the future is refused")
    void from_the_future() {
        refused("result_not_fresh", good().put("iat", NOW + 30).put("exp", NOW + 60));
    }

    @Test
    @DisplayName("(6) of another login of the same person is refused")
    void other_nonce() {
        refused("result_wrong_nonce", good().put("nonce", "nonce-of-another-login"));
    }

    @Test
    @DisplayName("(6) without a nonce is refused")
    void no_nonce() {
        ObjectNode claims = good();
        claims.remove("nonce");
        refused("result_wrong_nonce", claims);
    }

    @Test
    @DisplayName("(7) about somebody else is refused")
    void other_subject() {
        refused("result_wrong_subject", good().put("sub", "mallory"));
    }

    @Test
    @DisplayName("(8) of an enrolment does not log in")
    void enrolment_as_login() {
        refused("result_wrong_purpose", good().put("purpose", "enrol").put("reference_id", "r-1"));
    }

    @Test
    @DisplayName("(8) of a login does not enrol")
    void login_as_enrolment() {
        refused("result_wrong_purpose", good().put("reference_id", "r-1"), enrolment);
    }

    @Test
    @DisplayName("(9) of a lower class is refused")
    void lower_acr() {
        refused("result_wrong_acr", good().put("acr", "password"));
    }

    @Test
    @DisplayName("(9) of no class is refused")
    void no_acr() {
        ObjectNode claims = good();
        claims.remove("acr");
        refused("result_wrong_acr", claims);
    }

    @Test
    @DisplayName("(10) of a face alone is refused")
    void face_alone() {
        ObjectNode claims = good();
        claims.putArray("amr").add("face");
        refused("result_wrong_amr", claims);
    }

    @Test
    @DisplayName("(10) of a possession factor alone is refused")
    void possession_alone() {
        ObjectNode claims = good();
        claims.putArray("amr").add("otp");
        refused("result_wrong_amr", claims);
    }

    @Test
    @DisplayName("(10) whose methods are text is refused")
    void amr_as_text() {
        refused("result_wrong_amr", good().put("amr", "face otp"));
    }

    @Test
    @DisplayName("(11) of an enrolment names the reference")
    void enrolment_with_reference() throws StepFailure {
        assertEquals("r-1", check(enrolment).verify(good().put("purpose", "enrol").put("reference_id", "r-1"), NOW).referenceId());
    }

    @Test
    @DisplayName("(11) of an enrolment without a reference is refused")
    void enrolment_without_reference() {
        refused("result_without_reference", good().put("purpose", "enrol"), enrolment);
    }

    @Test
    @DisplayName("that is no object is refused")
    void no_object() {
        assertThrows(StepFailure.Refused.class, () -> check(login).verify(JsonSerialization.mapper.createArrayNode(), NOW));
    }
}
