package io.facestep.keycloak;

import java.net.URI;
import java.security.SecureRandom;
import java.util.UUID;

import jakarta.ws.rs.core.UriBuilder;
import org.keycloak.common.util.Time;
import org.keycloak.models.Constants;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.models.UserModel;
import org.keycloak.services.Urls;
import org.keycloak.sessions.AuthenticationSessionModel;
import org.keycloak.urls.UrlType;

/**
 * One visit of a person to the service: there ({@link #begin}) and back ({@link #finish}).
 *
 * <p>The authenticator and the required action both go through here; they differ in purpose and in what they do with success.
 */
final class FaceStep {

    private static final SecureRandom RANDOM = new SecureRandom();

    private final KeycloakSession session;
    private final RealmModel realm;
    private final UserModel user;
    private final AuthenticationSessionModel authSession;
    private final FacestepConfig config;

    FaceStep(KeycloakSession session, RealmModel realm, UserModel user, AuthenticationSessionModel authSession, FacestepConfig config) {
        this.session = session;
        this.realm = realm;
        this.user = user;
        this.authSession = authSession;
        this.config = config;
    }

    /** Return where to send the browser. The service is asked first, so that nobody is sent to a dead page. */
    URI begin(Purpose purpose, URI comeBackTo) throws StepFailure {
        new FacestepClient(session, config.serviceUrl()).requireReady();
        long now = Time.currentTimeSeconds();
        PendingStep step = PendingStep.begin(purpose, withoutClientData(comeBackTo), now, RANDOM);
        StepRequest.Person person = new StepRequest.Person(
                user.getId(), user.getUsername(), session.getContext().resolveLocale(user).toLanguageTag());
        String signed = new RealmKey(session, realm).sign(RealmKey.REQUEST_TYPE,
                StepRequest.claims(step, person, issuer(), config.serviceUrl(), now, UUID.randomUUID().toString()));
        step.storeIn(authSession);
        return StepRequest.address(config.serviceUrl(), issuer(), signed);
    }

    /** Return proof, or say why there is none. The pending step is spent either way. */
    VerifiedResult finish(Purpose expectedPurpose, StepAnswer answer) throws StepFailure {
        PendingStep step = PendingStep.take(authSession)
                .filter(pending -> pending.purpose() == expectedPurpose)
                .orElseThrow(() -> new StepFailure.Refused("no_step_begun"));
        if (answer.error() != null) {
            throw new StepFailure.Refused(answer.error());
        }
        // A code that belongs to another login is redeemed all the same, as *this* login: the service sees the wrong verifier,
        // spends the code and writes it to its audit log. Only then do we refuse.
        FacestepClient client = new FacestepClient(session, config.serviceUrl());
        String assertion = new RealmKey(session, realm).assertion(issuer(), config.serviceUrl(), Time.currentTimeSeconds());
        SignedResult signed = client.redeem(answer.code(), step, assertion);
        if (!step.hasState(answer.state())) {
            throw new StepFailure.Refused("wrong_state");
        }
        return new ResultCheck(config.serviceUrl(), issuer(), user.getId(), step)
                .verify(signed.claims(client.key(signed.keyId())), Time.currentTimeSeconds());
    }

    /** The application's own address and state are none of the service's business, and can be of any length. */
    private static String withoutClientData(URI address) {
        return UriBuilder.fromUri(address).replaceQueryParam(Constants.CLIENT_DATA).build().toString();
    }

    private String issuer() {
        return issuer(session, realm);
    }

    /** The realm's issuer as browsers and applications know it. */
    static String issuer(KeycloakSession session, RealmModel realm) {
        return Urls.realmIssuer(session.getContext().getUri(UrlType.FRONTEND).getBaseUri(), realm.getName());
    }
}
