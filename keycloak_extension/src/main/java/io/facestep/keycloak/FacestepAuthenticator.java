package io.facestep.keycloak;

import java.util.List;

import jakarta.ws.rs.core.Response;
import org.jboss.logging.Logger;
import org.keycloak.authentication.AuthenticationFlowContext;
import org.keycloak.authentication.AuthenticationFlowError;
import org.keycloak.authentication.Authenticator;
import org.keycloak.authentication.CredentialValidator;
import org.keycloak.authentication.RequiredActionFactory;
import org.keycloak.authentication.RequiredActionProvider;
import org.keycloak.authentication.authenticators.util.AuthenticatorUtils;
import org.keycloak.common.util.Time;
import org.keycloak.credential.CredentialProvider;
import org.keycloak.events.Details;
import org.keycloak.events.Errors;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.models.UserModel;

/**
 * Sends the person to the service and lets the login go on only with proof.
 *
 * <p>Every path answers the flow: a redirect, a success that holds a {@link VerifiedResult}, or a failure challenge.
 */
final class FacestepAuthenticator implements Authenticator, CredentialValidator<FaceCredentialProvider> {

    private static final Logger LOG = Logger.getLogger(FacestepAuthenticator.class);

    @Override
    public void authenticate(AuthenticationFlowContext context) {
        if (refuseLocked(context)) {
            return;
        }
        try {
            context.challenge(Response.seeOther(
                    step(context).begin(Purpose.LOGIN, context.getActionUrl(context.generateAccessCode()))).build());
        } catch (StepFailure failure) {
            refuse(context, failure);
        }
    }

    @Override
    public void action(AuthenticationFlowContext context) {
        StepAnswer answer = StepAnswer.of(context.getUriInfo().getQueryParameters());
        if (answer.isEmpty()) {
            authenticate(context);
            return;
        }
        if (refuseLocked(context)) {
            return;
        }
        try {
            VerifiedResult result = step(context).finish(Purpose.LOGIN, answer);
            SessionProof.record(context.getAuthenticationSession(), result, Time.currentTimeSeconds());
            context.success(FaceCredentialModel.TYPE);
        } catch (StepFailure failure) {
            refuse(context, failure);
        }
    }

    private static FaceStep step(AuthenticationFlowContext context) throws StepFailure.Misconfigured {
        return new FaceStep(context.getSession(), context.getRealm(), context.getUser(), context.getAuthenticationSession(),
                FacestepConfig.of(context.getAuthenticatorConfig()));
    }

    private static void refuse(AuthenticationFlowContext context, StepFailure failure) {
        boolean refused = failure instanceof StepFailure.Refused;
        LOG.log(refused ? Logger.Level.DEBUG : Logger.Level.ERROR, "face step: " + failure.getMessage());
        if (refused && !StepAnswer.CANCELLED.equals(failure.code())) {
            countFailure(context);
        }
        context.getEvent().user(context.getUser())
                .detail(Details.CREDENTIAL_TYPE, FaceCredentialModel.TYPE)
                .detail(Details.REASON, failure.code())
                .error(refused ? Errors.INVALID_USER_CREDENTIALS : Errors.IDENTITY_PROVIDER_ERROR);
        context.failureChallenge(
                refused ? AuthenticationFlowError.INVALID_CREDENTIALS : AuthenticationFlowError.INTERNAL_ERROR,
                ResultPage.show(context.form(), failure, Purpose.LOGIN));
    }

    /**
     * Raise Keycloak's own counter.
     *
     * <p>Since 26.6 the protector drops failures whose category is not password, otp or recovery codes, so the failure challenge
     * alone counts nothing for us. Without a category it counts.
     */
    private static void countFailure(AuthenticationFlowContext context) {
        if (context.getRealm().isBruteForceProtected()) {
            context.getProtector().failedLogin(
                    context.getRealm(), context.getUser(), context.getConnection(), context.getUriInfo(), null);
        }
    }

    /** A locked account gets no step, and an answer to an earlier step is not looked at. */
    private static boolean refuseLocked(AuthenticationFlowContext context) {
        String error = AuthenticatorUtils.getDisabledByBruteForceEventError(context, context.getUser());
        if (error == null) {
            return false;
        }
        PendingStep.take(context.getAuthenticationSession());
        context.getEvent().user(context.getUser()).detail(Details.CREDENTIAL_TYPE, FaceCredentialModel.TYPE).error(error);
        context.failureChallenge(AuthenticationFlowError.USER_TEMPORARILY_DISABLED, ResultPage.showLocked(context.form()));
        return true;
    }

    @Override
    public boolean requiresUser() {
        return true;
    }

    @Override
    public boolean configuredFor(KeycloakSession session, RealmModel realm, UserModel user) {
        return getCredentialProvider(session).isConfiguredFor(realm, user, FaceCredentialModel.TYPE);
    }

    /** Enrolment is not free for whoever knows the password: the service asks for an invitation first. */
    @Override
    public void setRequiredActions(KeycloakSession session, RealmModel realm, UserModel user) {
        session.getContext().getAuthenticationSession().addRequiredAction(EnrolActionFactory.ID);
    }

    @Override
    public List<RequiredActionFactory> getRequiredActions(KeycloakSession session) {
        return List.of((RequiredActionFactory) session.getKeycloakSessionFactory()
                .getProviderFactory(RequiredActionProvider.class, EnrolActionFactory.ID));
    }

    @Override
    public FaceCredentialProvider getCredentialProvider(KeycloakSession session) {
        return (FaceCredentialProvider) session.getProvider(CredentialProvider.class, FaceCredentialProviderFactory.ID);
    }

    @Override
    public void close() {
        // nothing is held
    }
}
