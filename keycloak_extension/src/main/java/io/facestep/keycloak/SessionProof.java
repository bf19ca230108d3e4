package io.facestep.keycloak;

import java.util.List;

import org.keycloak.models.UserSessionModel;
import org.keycloak.sessions.AuthenticationSessionModel;

/**
 * What the user session remembers of a passed step: how and when.
 *
 * <p>Written from a {@link VerifiedResult} only, and read by {@link AmrMapper}.
 */
record SessionProof(List<String> amr, long at) {

    private static final String AMR_NOTE = "facestep.amr";
    private static final String TIME_NOTE = "facestep.time";

    static void record(AuthenticationSessionModel session, VerifiedResult result, long now) {
        session.setUserSessionNote(AMR_NOTE, String.join(" ", result.amr()));
        session.setUserSessionNote(TIME_NOTE, Long.toString(now));
    }

    /** Return the proof of this session if it is at most {@code maxAgeS} old, else an empty one. */
    static SessionProof fresh(UserSessionModel session, long now, long maxAgeS) {
        String amr = session.getNote(AMR_NOTE);
        String time = session.getNote(TIME_NOTE);
        if (amr == null || amr.isBlank() || time == null || !time.matches("[0-9]{1,18}")) {
            return new SessionProof(List.of(), 0);
        }
        long at = Long.parseLong(time);
        return now >= at && now - at <= maxAgeS ? new SessionProof(List.of(amr.split(" ")), at) : new SessionProof(List.of(), 0);
    }
}
