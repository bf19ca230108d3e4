package io.facestep.keycloak;

import java.io.IOException;
import java.util.Map;

import org.keycloak.credential.CredentialModel;
import org.keycloak.util.JsonSerialization;

/** What Keycloak keeps of an enrolment: that there is one, since when, and the service's opaque name for it. Nothing biometric. */
final class FaceCredentialModel extends CredentialModel {

    static final String TYPE = "facestep";

    private static final long serialVersionUID = 1L;

    /** What the account console shows; the owner may change it. */
    private static final String LABEL = "My face";

    private FaceCredentialModel() {
    }

    static FaceCredentialModel enrolled(VerifiedResult result, long nowMillis) {
        FaceCredentialModel model = new FaceCredentialModel();
        model.setType(TYPE);
        model.setCreatedDate(nowMillis);
        model.setUserLabel(LABEL);
        model.setCredentialData("{}");
        try {
            model.setSecretData(JsonSerialization.writeValueAsString(Map.of("reference_id", result.referenceId())));
        } catch (IOException e) {
            throw new IllegalStateException("a credential could not be written", e);
        }
        return model;
    }

    static FaceCredentialModel from(CredentialModel stored) {
        FaceCredentialModel model = new FaceCredentialModel();
        model.setId(stored.getId());
        model.setType(stored.getType());
        model.setUserLabel(stored.getUserLabel());
        model.setCreatedDate(stored.getCreatedDate());
        model.setCredentialData(stored.getCredentialData());
        model.setSecretData(stored.getSecretData());
        return model;
    }
}
