package io.facestep.keycloak;

import org.keycloak.Config;
import org.keycloak.events.EventListenerProvider;
import org.keycloak.events.EventListenerProviderFactory;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.models.UserModel;
import org.keycloak.models.utils.PostMigrationEvent;
import org.keycloak.provider.ProviderEvent;
import org.keycloak.services.scheduled.ClusterAwareScheduledTaskRunner;
import org.keycloak.timer.TimerProvider;

/**
 * Registers {@link ErasureListener} for every realm, without a switch that somebody could forget, and the timer that tries again.
 *
 * <p>{@code --spi-events-listener--facestep-erasure--retry-seconds} sets how often an unconfirmed erasure is tried again.
 */
public final class ErasureListenerFactory implements EventListenerProviderFactory {

    static final String ID = "facestep-erasure";

    private static final int RETRY_S = 60;

    private long retryMs = RETRY_S * 1_000L;

    @Override
    public String getId() {
        return ID;
    }

    @Override
    public boolean isGlobal() {
        return true;
    }

    @Override
    public EventListenerProvider create(KeycloakSession session) {
        return new ErasureListener(session);
    }

    @Override
    public void init(Config.Scope config) {
        int seconds = config.getInt("retrySeconds", RETRY_S);
        if (seconds < 1) {
            throw new IllegalArgumentException("retry-seconds of " + ID + " must be at least 1");
        }
        retryMs = seconds * 1_000L;
    }

    @Override
    public void postInit(KeycloakSessionFactory factory) {
        factory.register(event -> onProviderEvent(factory, event));
    }

    private void onProviderEvent(KeycloakSessionFactory factory, ProviderEvent event) {
        if (event instanceof UserModel.UserPreRemovedEvent removed) {
            if (Erasure.hasFace(removed.getUser())) {
                Erasure.request(removed.getKeycloakSession(), removed.getRealm(), removed.getUser().getId());
            }
        } else if (event instanceof PostMigrationEvent) {
            try (KeycloakSession session = factory.create()) {
                session.getProvider(TimerProvider.class)
                        .schedule(new ClusterAwareScheduledTaskRunner(factory, new Erasure(), retryMs), retryMs);
            }
        }
    }

    @Override
    public void close() {
        // the timer ends with the server
    }
}
