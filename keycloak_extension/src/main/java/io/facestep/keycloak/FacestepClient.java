package io.facestep.keycloak;

import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.http.client.config.RequestConfig;
import org.keycloak.crypto.Algorithm;
import org.keycloak.crypto.KeyUse;
import org.keycloak.crypto.KeyWrapper;
import org.keycloak.crypto.PublicKeysWrapper;
import org.keycloak.http.simple.SimpleHttp;
import org.keycloak.http.simple.SimpleHttpResponse;
import org.keycloak.jose.jwk.JSONWebKeySet;
import org.keycloak.keys.PublicKeyStorageProvider;
import org.keycloak.models.KeycloakSession;
import org.keycloak.util.JWKSUtils;
import org.keycloak.util.JsonSerialization;

/**
 * The back channel to the service, over Keycloak's own HTTP client (its proxy and trust store hold here too).
 *
 * <p>Every call ends within seconds, follows no redirect and reads a bounded answer. What is not a clear answer is
 * {@link StepFailure.Unavailable}.
 */
final class FacestepClient {

    /** A person waits in front of the page; the service answers /health/ready in milliseconds. */
    static final int READY_TIMEOUT_MS = 2_000;

    /** The code redemption reads one row and signs once; the rest is for a busy database. */
    static final int CALL_TIMEOUT_MS = 5_000;

    /** The largest answer is an id_token of about one kilobyte. */
    private static final long LONGEST_ANSWER = 65_536;

    private static final String ASSERTION_KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private final KeycloakSession session;
    private final String service;

    FacestepClient(KeycloakSession session, String service) {
        this.session = session;
        this.service = service;
    }

    /** Return if the service can do a ceremony now. */
    void requireReady() throws StepFailure.Unavailable {
        try (SimpleHttpResponse answer = http(READY_TIMEOUT_MS).doGet(service + "/health/ready").asResponse()) {
            if (answer.getStatus() != 200) {
                throw new StepFailure.Unavailable("/health/ready answered " + answer.getStatus());
            }
        } catch (IOException e) {
            throw new StepFailure.Unavailable("/health/ready did not answer", e);
        }
    }

    /** Exchange the code for the signed result, as the login that holds {@code step}. */
    SignedResult redeem(String code, PendingStep step, String assertion) throws StepFailure {
        JsonNode answer = post("/token", Map.of(
                "grant_type", "authorization_code",
                "code", code,
                "redirect_uri", step.redirectUri(),
                "code_verifier", step.codeVerifier(),
                "client_assertion_type", ASSERTION_KIND,
                "client_assertion", assertion));
        if (!answer.path("id_token").isTextual()) {
            throw new StepFailure.Refused("result_missing");
        }
        return SignedResult.parse(answer.path("id_token").textValue());
    }

    /** Ask the service to forget everything about {@code subject}. Doing it twice is the same as once. */
    void erase(String subject, String assertion) throws StepFailure {
        JsonNode answer = post("/idp/erase", Map.of(
                "subject", subject, "client_assertion_type", ASSERTION_KIND, "client_assertion", assertion));
        if (!answer.path("erased").isBoolean()) {
            throw new StepFailure.Unavailable("/idp/erase gave no answer");
        }
    }

    /** The service's public key of this name; Keycloak caches them and asks again, at most every ten seconds, for an unknown name. */
    KeyWrapper key(String keyId) throws StepFailure {
        if (keyId == null) {
            throw new StepFailure.Refused("result_without_key");
        }
        try {
            return session.getProvider(PublicKeyStorageProvider.class)
                    .getPublicKey("facestep::" + service, keyId, Algorithm.ES256, this::loadKeys);
        } catch (RuntimeException e) {
            throw new StepFailure.Unavailable("/jwks could not be read", e);
        }
    }

    private PublicKeysWrapper loadKeys() throws IOException {
        try (SimpleHttpResponse answer = http(CALL_TIMEOUT_MS).doGet(service + "/jwks").asResponse()) {
            if (answer.getStatus() != 200) {
                throw new IOException("/jwks answered " + answer.getStatus());
            }
            return new PublicKeysWrapper(Stream.of(answer.asJson(JSONWebKeySet.class).getKeys())
                    .filter(key -> KeyUse.SIG.getSpecName().equals(key.getPublicKeyUse()))
                    .map(JWKSUtils::getKeyWrapper)
                    .filter(Objects::nonNull)
                    .toList());
        }
    }

    private JsonNode post(String path, Map<String, String> form) throws StepFailure {
        try (SimpleHttpResponse answer = http(CALL_TIMEOUT_MS).doPost(service + path).params(form).acceptJson().asResponse()) {
            int status = answer.getStatus();
            if (status == 200) {
                return JsonSerialization.mapper.readTree(answer.asString());
            }
            if (status == 401) {
                throw new StepFailure.Misconfigured("the service does not know this realm (facestep clients add)");
            }
            if (status == 400) {
                throw new StepFailure.Refused("code_refused");
            }
            throw new StepFailure.Unavailable(path + " answered " + status);
        } catch (IOException e) {
            throw new StepFailure.Unavailable(path + " did not answer", e);
        }
    }

    private SimpleHttp http(int timeoutMs) {
        RequestConfig limits = RequestConfig.custom()
                .setConnectTimeout(READY_TIMEOUT_MS)
                .setConnectionRequestTimeout(READY_TIMEOUT_MS)
                .setSocketTimeout(timeoutMs)
                .setRedirectsEnabled(false)
                .build();
        return SimpleHttp.create(session).withRequestConfig(limits).withMaxConsumedResponseSize(LONGEST_ANSWER);
    }
}
