package io.facestep.keycloak;

import java.util.List;

import org.keycloak.credential.CredentialInput;
import org.keycloak.credential.CredentialInputValidator;
import org.keycloak.credential.CredentialModel;
import org.keycloak.credential.CredentialProvider;
import org.keycloak.credential.CredentialTypeMetadata;
import org.keycloak.credential.CredentialTypeMetadataContext;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.models.UserModel;

/** Shows the enrolled face in the account console. Deletions are noticed by {@link ErasureListener}, wherever they come from. */
final class FaceCredentialProvider implements CredentialProvider<FaceCredentialModel>, CredentialInputValidator {

    private final KeycloakSession session;

    FaceCredentialProvider(KeycloakSession session) {
        this.session = session;
    }

    @Override
    public String getType() {
        return FaceCredentialModel.TYPE;
    }

    /** A person has one enrolled face: a new one takes the place of the old. */
    @Override
    public CredentialModel createCredential(RealmModel realm, UserModel user, FaceCredentialModel model) {
        List<CredentialModel> old = user.credentialManager().getStoredCredentialsByTypeStream(getType()).toList();
        old.forEach(credential -> user.credentialManager().removeStoredCredentialById(credential.getId()));
        return user.credentialManager().createStoredCredential(model);
    }

    @Override
    public boolean deleteCredential(RealmModel realm, UserModel user, String credentialId) {
        return user.credentialManager().removeStoredCredentialById(credentialId);
    }

    @Override
    public FaceCredentialModel getCredentialFromModel(CredentialModel model) {
        return FaceCredentialModel.from(model);
    }

    @Override
    public boolean supportsCredentialType(String type) {
        return getType().equals(type);
    }

    /** A real answer from the local store, without a network call. An enrolment always includes a possession factor. */
    @Override
    public boolean isConfiguredFor(RealmModel realm, UserModel user, String type) {
        return supportsCredentialType(type) && user.credentialManager().getStoredCredentialsByTypeStream(type).findAny().isPresent();
    }

    /** Nothing that a form or a grant could send proves a live face. */
    @Override
    public boolean isValid(RealmModel realm, UserModel user, CredentialInput input) {
        return false;
    }

    @Override
    public CredentialTypeMetadata getCredentialTypeMetadata(CredentialTypeMetadataContext context) {
        return CredentialTypeMetadata.builder()
                .type(getType())
                .category(CredentialTypeMetadata.Category.TWO_FACTOR)
                .displayName("facestep-display-name")
                .helpText("facestep-help-text")
                .iconCssClass("kcAuthenticatorWebAuthnClass")
                .createAction(EnrolActionFactory.ID)
                .removeable(true)
                .build(session);
    }
}
