package io.facestep.keycloak;

import java.util.Map;
import java.util.UUID;

import org.keycloak.crypto.Algorithm;
import org.keycloak.crypto.SignatureProvider;
import org.keycloak.jose.jws.JWSBuilder;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;

/**
 * Signs with the realm's own active key, so that no secret is shared with the service.
 *
 * <p>The same key signs everybody's tokens, therefore each kind of ours has an explicit type (RFC 8725 3.11).
 */
final class RealmKey {

    static final String REQUEST_TYPE = "oauth-authz-req+jwt";
    static final String ASSERTION_TYPE = "client-authentication+jwt";

    /** RFC 7523: an assertion is made for one call, so it need not outlive the call's time-out. */
    static final long ASSERTION_LIFE_S = 45;

    private final KeycloakSession session;
    private final RealmModel realm;

    RealmKey(KeycloakSession session, RealmModel realm) {
        this.session = session;
        this.realm = realm;
    }

    String sign(String type, Map<String, Object> claims) throws StepFailure.Misconfigured {
        String algorithm = realm.getDefaultSignatureAlgorithm();
        if (algorithm == null || algorithm.isBlank()) {
            algorithm = Algorithm.RS256;
        }
        SignatureProvider provider = session.getProvider(SignatureProvider.class, algorithm);
        if (provider == null || !provider.isAsymmetricAlgorithm()) {
            throw new StepFailure.Misconfigured("the realm's default signature algorithm must be asymmetric");
        }
        return new JWSBuilder().type(type).jsonContent(claims).sign(provider.signer());
    }

    /** Proof to the service that this call comes from the realm (RFC 7523). */
    String assertion(String issuer, String audience, long now) throws StepFailure.Misconfigured {
        return sign(ASSERTION_TYPE, Map.of(
                "iss", issuer,
                "sub", issuer,
                "aud", audience,
                "iat", now,
                "exp", now + ASSERTION_LIFE_S,
                "jti", UUID.randomUUID().toString()));
    }
}
