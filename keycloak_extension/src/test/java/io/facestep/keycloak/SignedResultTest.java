package io.facestep.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.keycloak.common.crypto.CryptoIntegration;
import org.keycloak.crypto.Algorithm;
import org.keycloak.crypto.KeyType;
import org.keycloak.crypto.KeyUse;
import org.keycloak.crypto.KeyWrapper;

@DisplayName("The signature of a result")
class SignedResultTest {

    private static final String PAYLOAD = "{\"sub\":\"alice\"}";

    private final KeyPair keys = ellipticKeys();

    @BeforeAll
    static void crypto() {
        CryptoIntegration.init(SignedResultTest.class.getClassLoader());
    }

    private static KeyPair ellipticKeys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyWrapper wrapped(KeyPair pair) {
        KeyWrapper key = new KeyWrapper();
        key.setKid("k1");
        key.setAlgorithm(Algorithm.ES256);
        key.setType(KeyType.EC);
        key.setUse(KeyUse.SIG);
        key.setPublicKey(pair.getPublic());
        return key;
    }

    private static String part(String json) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }

    private String signed(String header, String payload) throws GeneralSecurityException {
        String input = part(header) + "." + part(payload);
        Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
        signature.initSign(keys.getPrivate());
        signature.update(input.getBytes(StandardCharsets.US_ASCII));
        return input + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature.sign());
    }

    private static void refused(String code, String compact, KeyWrapper key) {
        assertEquals(code, assertThrows(StepFailure.Refused.class, () -> SignedResult.parse(compact).claims(key)).code());
    }

    @Test
    @DisplayName("by the service's key gives the claims")
    void good_signature() throws Exception {
        SignedResult result = SignedResult.parse(signed("{\"alg\":\"ES256\",\"kid\":\"k1\"}", PAYLOAD));
        assertEquals("k1", result.keyId());
        assertEquals("alice", result.claims(wrapped(keys)).path("sub").asText());
    }

    @Test
    @DisplayName("by another key is refused")
    void other_key() throws Exception {
        refused("result_wrong_signature", signed("{\"alg\":\"ES256\",\"kid\":\"k1\"}", PAYLOAD), wrapped(ellipticKeys()));
    }

    @Test
    @DisplayName("does not hold for changed claims")
    void changed_claims() throws Exception {
        String[] parts = signed("{\"alg\":\"ES256\",\"kid\":\"k1\"}", PAYLOAD).split("\\.");
        refused("result_wrong_signature", parts[0] + "." + part("{\"sub\":\"mallory\"}") + "." + parts[2], wrapped(keys));
    }

    @Test
    @DisplayName("is needed: the algorithm none is refused")
    void no_algorithm() {
        refused("result_wrong_algorithm", part("{\"alg\":\"none\"}") + "." + part(PAYLOAD) + ".", wrapped(keys));
    }

    @Test
    @DisplayName("is needed: a result of two parts is refused")
    void two_parts() {
        refused("result_wrong_key", part("{\"alg\":\"ES256\",\"kid\":\"k1\"}") + "." + part(PAYLOAD), wrapped(keys));
    }

    @Test
    @DisplayName("is not a shared secret: HMAC is refused")
    void hmac() throws Exception {
        refused("result_wrong_algorithm", signed("{\"alg\":\"HS256\",\"kid\":\"k1\"}", PAYLOAD), wrapped(keys));
    }

    @Test
    @DisplayName("needs a header that names the algorithm")
    void header_without_algorithm() throws Exception {
        refused("result_wrong_algorithm", signed("{\"kid\":\"k1\"}", PAYLOAD), wrapped(keys));
    }

    @Test
    @DisplayName("needs a key that the service publishes")
    void unknown_key() throws Exception {
        refused("result_wrong_key", signed("{\"alg\":\"ES256\",\"kid\":\"k2\"}", PAYLOAD), null);
    }

    @Test
    @DisplayName("cannot be on something that is no token")
    void no_token() {
        assertThrows(StepFailure.Refused.class, () -> SignedResult.parse("not a token"));
    }
}
