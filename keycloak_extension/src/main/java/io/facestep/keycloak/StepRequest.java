package io.facestep.keycloak;

import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The signed request (RFC 9101) that sends a person to the service.
 *
 * <p>Everything the service acts on is inside the signature; the only plain parameter besides it is {@code client_id}, which
 * tells the service whose key to use.
 */
final class StepRequest {

    /** Long enough for a redirect on a slow line; the contract allows at most 300. */
    static final long LIFE_S = 120;

    private StepRequest() {
    }

    static Map<String, Object> claims(PendingStep step, Person person, String issuer, String service, long now, String jti) {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", issuer);
        claims.put("client_id", issuer);
        claims.put("aud", service);
        claims.put("iat", now);
        claims.put("exp", now + LIFE_S);
        claims.put("jti", jti);
        claims.put("response_type", "code");
        claims.put("scope", "openid");
        claims.put("redirect_uri", step.redirectUri());
        claims.put("state", step.state());
        claims.put("nonce", step.nonce());
        claims.put("code_challenge", step.codeChallenge());
        claims.put("code_challenge_method", "S256");
        claims.put("acr_values", FacestepConfig.ACR);
        claims.put("sub", person.id());
        claims.put("preferred_username", person.name());
        claims.put("purpose", step.purpose().claim());
        if (person.locale() != null) {
            claims.put("ui_locales", person.locale());
        }
        return claims;
    }

    static URI address(String service, String issuer, String signed) {
        return URI.create(service + "/authorize?client_id=" + URLEncoder.encode(issuer, StandardCharsets.UTF_8) + "&request=" + signed);
    }

    /** Who is asked to prove presence; {@code name} is for display only. */
    record Person(String id, String name, String locale) {
    }
}
