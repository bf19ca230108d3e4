package io.facestep.keycloak;

import jakarta.ws.rs.core.Response;
import org.jboss.logging.Logger;
import org.keycloak.authentication.CredentialRegistrator;
import org.keycloak.authentication.InitiatedActionSupport;
import org.keycloak.authentication.RequiredActionContext;
import org.keycloak.authentication.RequiredActionProvider;
import org.keycloak.common.util.Time;
import org.keycloak.credential.CredentialProvider;
import org.keycloak.events.Details;
import org.keycloak.events.Errors;
import org.keycloak.events.EventType;
import org.keycloak.models.KeycloakSession;
import org.keycloak.sessions.AuthenticationSessionModel;

/**
 * Enrols a face: by required action, or from the account console.
 *
 * <p>As a {@link CredentialRegistrator} it makes Keycloak ask for the level of the face step before somebody who has one replaces it.
 */
final class EnrolAction implements RequiredActionProvider, CredentialRegistrator {

    private static final Logger LOG = Logger.getLogger(EnrolAction.class);

    @Override
    public InitiatedActionSupport initiatedActionSupport() {
        return InitiatedActionSupport.SUPPORTED;
    }

    @Override
    public String getCredentialType(KeycloakSession session, AuthenticationSessionModel authSession) {
        return FaceCredentialModel.TYPE;
    }

    @Override
    public void evaluateTriggers(RequiredActionContext context) {
        // the authenticator asks for the enrolment of a person who has none
    }

    @Override
    public void requiredActionChallenge(RequiredActionContext context) {
        try {
            context.challenge(Response.seeOther(step(context).begin(Purpose.ENROL, context.getActionUrl())).build());
        } catch (StepFailure failure) {
            refuse(context, failure);
        }
    }

    @Override
    public void processAction(RequiredActionContext context) {
        StepAnswer answer = StepAnswer.of(context.getUriInfo().getQueryParameters());
        if (answer.isEmpty()) {
            requiredActionChallenge(context);
            return;
        }
        try {
            VerifiedResult result = step(context).finish(Purpose.ENROL, answer);
            provider(context).createCredential(
                    context.getRealm(), context.getUser(), FaceCredentialModel.enrolled(result, Time.currentTimeMillis()));
            SessionProof.record(context.getAuthenticationSession(), result, Time.currentTimeSeconds());
            context.getEvent().event(EventType.UPDATE_CREDENTIAL).detail(Details.CREDENTIAL_TYPE, FaceCredentialModel.TYPE);
            context.success();
        } catch (StepFailure failure) {
            refuse(context, failure);
        }
    }

    private static FaceStep step(RequiredActionContext context) throws StepFailure.Misconfigured {
        return new FaceStep(context.getSession(), context.getRealm(), context.getUser(), context.getAuthenticationSession(),
                FacestepConfig.of(context.getRealm()));
    }

    private static FaceCredentialProvider provider(RequiredActionContext context) {
        return (FaceCredentialProvider) context.getSession().getProvider(CredentialProvider.class, FaceCredentialProviderFactory.ID);
    }

    private static void refuse(RequiredActionContext context, StepFailure failure) {
        boolean refused = failure instanceof StepFailure.Refused;
        LOG.log(refused ? Logger.Level.DEBUG : Logger.Level.ERROR, "face enrolment: " + failure.getMessage());
        context.getEvent().clone().event(EventType.UPDATE_CREDENTIAL)
                .detail(Details.CREDENTIAL_TYPE, FaceCredentialModel.TYPE)
                .detail(Details.REASON, failure.code())
                .error(refused ? Errors.INVALID_USER_CREDENTIALS : Errors.IDENTITY_PROVIDER_ERROR);
        context.challenge(ResultPage.show(context.form(), failure, Purpose.ENROL));
    }

    @Override
    public void close() {
        // nothing is held
    }
}
