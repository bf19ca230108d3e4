package io.facestep.keycloak;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import org.jboss.logging.Logger;
import org.keycloak.models.RealmModel;
import org.keycloak.util.JsonSerialization;

/**
 * An erasure that the service has not confirmed yet.
 *
 * <p>It is a realm attribute, written in the same transaction as the deletion, so that neither can happen without the other and
 * a restart loses nothing. It is removed when the service has confirmed.
 */
record PendingErasure(String subject, String issuer, String service) {

    static final String PREFIX = "facestep.erase.";

    private static final Logger LOG = Logger.getLogger(PendingErasure.class);

    void storeIn(RealmModel realm) {
        try {
            realm.setAttribute(PREFIX + subject, JsonSerialization.writeValueAsString(Map.of("issuer", issuer, "service", service)));
        } catch (IOException e) {
            throw new IllegalStateException("a pending erasure could not be written", e);
        }
    }

    void removeFrom(RealmModel realm) {
        realm.removeAttribute(PREFIX + subject);
    }

    static Stream<PendingErasure> of(RealmModel realm) {
        return realm.getAttributes().entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(PREFIX))
                .flatMap(entry -> read(entry.getKey().substring(PREFIX.length()), entry.getValue()).stream())
                .toList()
                .stream();
    }

    /** A damaged attribute stays where it is, for `facestep keycloak check` to show; it must not stop the others. */
    private static Optional<PendingErasure> read(String subject, String json) {
        try {
            JsonNode node = JsonSerialization.mapper.readTree(json);
            String service = FacestepConfig.checked(node.path("service").asText());
            return Optional.of(new PendingErasure(subject, node.path("issuer").asText(), service));
        } catch (IOException | StepFailure.Misconfigured e) {
            LOG.errorf("the realm attribute %s%s is damaged", PREFIX, subject);
            return Optional.empty();
        }
    }
}
