package io.facestep.keycloak;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.keycloak.events.Details;
import org.keycloak.events.Event;
import org.keycloak.events.EventListenerProvider;
import org.keycloak.events.EventType;
import org.keycloak.events.admin.AdminEvent;
import org.keycloak.events.admin.OperationType;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;

/**
 * Notices that a face was deleted, by its owner in the account console or by an administrator.
 *
 * <p>Keycloak deletes credentials in its store without asking the credential provider, so its events are the only notice; they
 * come inside the deleting transaction.
 */
final class ErasureListener implements EventListenerProvider {

    private static final Pattern CREDENTIAL_PATH = Pattern.compile("users/([^/]+)/credentials/[^/]+");

    private final KeycloakSession session;

    ErasureListener(KeycloakSession session) {
        this.session = session;
    }

    @Override
    public void onEvent(Event event) {
        if (event.getType() == EventType.REMOVE_CREDENTIAL && event.getError() == null && isFace(event.getDetails())) {
            request(event.getRealmId(), event.getUserId());
        }
    }

    @Override
    public void onEvent(AdminEvent event, boolean includeRepresentation) {
        if (event.getOperationType() != OperationType.ACTION || event.getError() != null || !isFace(event.getDetails())) {
            return;
        }
        Matcher path = CREDENTIAL_PATH.matcher(event.getResourcePath() == null ? "" : event.getResourcePath());
        if (path.matches()) {
            request(event.getRealmId(), path.group(1));
        }
    }

    private void request(String realmId, String userId) {
        RealmModel realm = session.realms().getRealm(realmId);
        if (realm != null && userId != null && !Erasure.hasFace(session.users().getUserById(realm, userId))) {
            Erasure.request(session, realm, userId);
        }
    }

    private static boolean isFace(Map<String, String> details) {
        return details != null && FaceCredentialModel.TYPE.equals(details.get(Details.CREDENTIAL_TYPE));
    }

    @Override
    public void close() {
        // nothing is held
    }
}
