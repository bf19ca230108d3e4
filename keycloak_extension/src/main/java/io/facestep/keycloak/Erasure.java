package io.facestep.keycloak;

import org.jboss.logging.Logger;
import org.keycloak.common.util.Time;
import org.keycloak.models.AbstractKeycloakTransaction;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.models.RealmModel;
import org.keycloak.models.UserModel;
import org.keycloak.models.utils.KeycloakModelUtils;
import org.keycloak.timer.ScheduledTask;

/**
 * Carries deletions of faces to the service: at once after the deletion is committed, and again by timer until it is confirmed.
 *
 * <p>A person who has enrolled again in the meantime is left alone.
 */
final class Erasure implements ScheduledTask {

    private static final Logger LOG = Logger.getLogger(Erasure.class);

    /** Remember that {@code subject} must be forgotten, and ask the service as soon as the deletion is final. */
    static void request(KeycloakSession session, RealmModel realm, String subject) {
        try {
            String service = FacestepConfig.of(realm).serviceUrl();
            new PendingErasure(subject, FaceStep.issuer(session, realm), service).storeIn(realm);
        } catch (StepFailure.Misconfigured e) {
            LOG.errorf("realm %s: a face was deleted but no Facestep execution says which service to tell: %s", realm.getName(), e.getMessage());
            return;
        }
        KeycloakSessionFactory factory = session.getKeycloakSessionFactory();
        String realmId = realm.getId();
        session.getTransactionManager().enlistAfterCompletion(new AbstractKeycloakTransaction() {
            @Override
            protected void commitImpl() {
                KeycloakModelUtils.runJobInTransaction(factory, later -> carryOut(later, later.realms().getRealm(realmId)));
            }

            @Override
            protected void rollbackImpl() {
                // nothing was deleted
            }
        });
    }

    @Override
    public void run(KeycloakSession session) {
        session.realms().getRealmsStream().toList().forEach(realm -> carryOut(session, realm));
    }

    private static void carryOut(KeycloakSession session, RealmModel realm) {
        if (realm == null) {
            return;
        }
        session.getContext().setRealm(realm);
        PendingErasure.of(realm).forEach(pending -> carryOut(session, realm, pending));
    }

    private static void carryOut(KeycloakSession session, RealmModel realm, PendingErasure pending) {
        if (hasFace(session.users().getUserById(realm, pending.subject()))) {
            pending.removeFrom(realm);
            return;
        }
        try {
            String assertion = new RealmKey(session, realm).assertion(pending.issuer(), pending.service(), Time.currentTimeSeconds());
            new FacestepClient(session, pending.service()).erase(pending.subject(), assertion);
            pending.removeFrom(realm);
        } catch (StepFailure e) {
            LOG.warnf("realm %s: an erasure waits for the service: %s", realm.getName(), e.getMessage());
        }
    }

    static boolean hasFace(UserModel user) {
        return user != null
                && user.credentialManager().getStoredCredentialsByTypeStream(FaceCredentialModel.TYPE).findAny().isPresent();
    }
}
