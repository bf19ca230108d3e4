package io.facestep.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.keycloak.models.UserSessionModel;

@DisplayName("The proof in a session")
class SessionProofTest {

    private static UserSessionModel session(Map<String, String> notes) {
        return (UserSessionModel) Proxy.newProxyInstance(SessionProofTest.class.getClassLoader(),
                new Class<?>[] {UserSessionModel.class}, (proxy, method, args) -> {
                    if (!method.getName().equals("getNote")) {
                        throw new UnsupportedOperationException(method.getName());
                    }
                    return notes.get((String) args[0]);
                });
    }

    private static List<String> amr(String time, long now, long maxAge) {
        return SessionProof.fresh(session(Map.of("facestep.amr", "face otp", "facestep.time", time)), now, maxAge).amr();
    }

    @Test
    @DisplayName("says face and factor while it is fresh")
    void fresh() {
        assertEquals(List.of("face", "otp"), amr("1000", 1060, 60));
    }

    @Test
    @DisplayName("says nothing when it is too old")
    void stale() {
        assertEquals(List.of(), amr("1000", 1061, 60));
    }

    @Test
    @DisplayName("says nothing when the age is not configured")
    void bad_age() {
        assertEquals(List.of(), amr("1000", 1000, -1));
    }

    @Test
    @DisplayName("says nothing when it is from the future or damaged")
    void damaged() {
        assertEquals(List.of(), amr("2000", 1000, 60));
        assertEquals(List.of(), amr("soon", 1000, 60));
        assertEquals(List.of(), SessionProof.fresh(session(Map.of("facestep.amr", "face")), 1000, 60).amr());
        assertEquals(List.of(), SessionProof.fresh(session(Map.of()), 1000, 60).amr());
    }

    @Test
    @DisplayName("is added to what other mappers said, without doubles")
    void merged() {
        assertEquals(List.of("pwd", "face", "otp"), AmrMapper.merged(List.of("pwd", "face"), List.of("face", "otp")));
        assertEquals(List.of("face", "hwk"), AmrMapper.merged(null, List.of("face", "hwk")));
    }
}
