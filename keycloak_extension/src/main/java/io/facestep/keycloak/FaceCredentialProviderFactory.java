package io.facestep.keycloak;

import org.keycloak.credential.CredentialProvider;
import org.keycloak.credential.CredentialProviderFactory;
import org.keycloak.models.KeycloakSession;

/** Registers the credential type {@code facestep}. */
public final class FaceCredentialProviderFactory implements CredentialProviderFactory<FaceCredentialProvider> {

    static final String ID = "facestep";

    @Override
    public String getId() {
        return ID;
    }

    @Override
    public CredentialProvider<FaceCredentialModel> create(KeycloakSession session) {
        return new FaceCredentialProvider(session);
    }
}
