package io.facestep.keycloak;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

import com.fasterxml.jackson.databind.JsonNode;
import org.keycloak.common.VerificationException;
import org.keycloak.crypto.Algorithm;
import org.keycloak.crypto.KeyWrapper;
import org.keycloak.crypto.ServerECDSASignatureVerifierContext;
import org.keycloak.jose.jws.JWSInput;
import org.keycloak.jose.jws.JWSInputException;
import org.keycloak.util.JsonSerialization;

/**
 * A result as it came over the back channel, before anybody believes it.
 *
 * <p>The algorithm is ours to say, not the token's: ES256 and nothing else.
 */
final class SignedResult {

    private final JWSInput input;

    private SignedResult(JWSInput input) {
        this.input = input;
    }

    static SignedResult parse(String compact) throws StepFailure.Refused {
        try {
            SignedResult result = new SignedResult(new JWSInput(compact));
            if (!Algorithm.ES256.equals(String.valueOf(result.input.getHeader().getAlgorithm()))) {
                throw new StepFailure.Refused("result_wrong_algorithm");
            }
            return result;
        } catch (JWSInputException e) {
            throw new StepFailure.Refused("result_unreadable", e);
        }
    }

    String keyId() {
        return input.getHeader().getKeyId();
    }

    /** Return the claims if {@code key} signed them. */
    JsonNode claims(KeyWrapper key) throws StepFailure.Refused {
        if (key == null || input.getSignature() == null || !Algorithm.ES256.equals(key.getAlgorithmOrDefault())) {
            throw new StepFailure.Refused("result_wrong_key");
        }
        try {
            byte[] signed = input.getEncodedSignatureInput().getBytes(StandardCharsets.US_ASCII);
            if (!new ServerECDSASignatureVerifierContext(key).verify(signed, input.getSignature())) {
                throw new StepFailure.Refused("result_wrong_signature");
            }
            return JsonSerialization.mapper.readTree(input.getContent());
        } catch (VerificationException | IOException e) {
            throw new StepFailure.Refused("result_wrong_signature", e);
        }
    }
}
