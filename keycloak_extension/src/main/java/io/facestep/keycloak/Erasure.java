package io.facestep.keycloak;

import java.util.List;

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
                carryOut(factory, realmId);
            }

            @Override
            protected void rollbackImpl() {
                // nothing was deleted
            }
        });
    }

    @Override
    public void run(KeycloakSession session) {
        List<String> realms = session.realms().getRealmsStream()
                .filter(realm -> PendingErasure.of(realm).findAny().isPresent())
                .map(RealmModel::getId)
                .toList();
        realms.forEach(realm -> carryOut(session.getKeycloakSessionFactory(), realm));
    }

    /** Each realm has a transaction of its own, so that trouble in one does not undo what was confirmed for another. */
    private static void carryOut(KeycloakSessionFactory factory, String realmId) {
        try {
            KeycloakModelUtils.runJobInTransaction(factory, session -> {
                RealmModel realm = session.realms().getRealm(realmId);
                if (realm != null) {
                    session.getContext().setRealm(realm);
                    carryOut(session, realm);
                }
            });
        } catch (RuntimeException e) {
            LOG.errorf(e, "erasures of realm %s could not be carried out", realmId);
        }
    }

    private static void carryOut(KeycloakSession session, RealmModel realm) {
        for (PendingErasure pending : PendingErasure.of(realm).toList()) {
            try {
                carryOut(session, realm, pending);
            } catch (StepFailure.Refused e) {
                LOG.errorf("realm %s: the service refuses an erasure: %s", realm.getName(), e.getMessage());
            } catch (StepFailure e) {
                LOG.warnf("realm %s: erasures wait for the service: %s", realm.getName(), e.getMessage());
                return;
            }
        }
    }

    private static void carryOut(KeycloakSession session, RealmModel realm, PendingErasure pending) throws StepFailure {
        if (!hasFace(session.users().getUserById(realm, pending.subject()))) {
            String assertion = new RealmKey(session, realm).assertion(pending.issuer(), pending.service(), Time.currentTimeSeconds());
            new FacestepClient(session, pending.service()).erase(pending.subject(), assertion);
        }
        pending.removeFrom(realm);
    }

    static boolean hasFace(UserModel user) {
        return user != null
                && user.credentialManager().getStoredCredentialsByTypeStream(FaceCredentialModel.TYPE).findAny().isPresent();
    }
}
