package io.facestep.keycloak;

import java.io.IOException;
import java.util.Map;
import java.util.stream.Stream;

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
                .map(entry -> read(entry.getKey().substring(PREFIX.length()), entry.getValue()))
                .toList()
                .stream();
    }

    private static PendingErasure read(String subject, String json) {
        try {
            var node = JsonSerialization.mapper.readTree(json);
            return new PendingErasure(subject, node.path("issuer").asText(), node.path("service").asText());
        } catch (IOException e) {
            throw new IllegalStateException("the realm attribute " + PREFIX + subject + " is damaged", e);
        }
    }
}
