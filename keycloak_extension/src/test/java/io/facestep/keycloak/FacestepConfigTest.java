package io.facestep.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.keycloak.models.AuthenticatorConfigModel;

@DisplayName("The address of the service")
class FacestepConfigTest {

    private static AuthenticatorConfigModel config(String url) {
        AuthenticatorConfigModel model = new AuthenticatorConfigModel();
        model.setConfig(url == null ? Map.of() : Map.of(FacestepConfig.SERVICE_URL, url));
        return model;
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://face.example.org", "https://example.org/face", "http://localhost:8100", "http://127.0.0.1:8100"})
    @DisplayName("is taken as it is")
    void good(String url) throws StepFailure.Misconfigured {
        assertEquals(url, FacestepConfig.of(config(url)).serviceUrl());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "face.example.org", "http://face.example.org", "https://face.example.org/", "ftp://localhost",
        "https://face.example.org?x=1", "https://face.example.org#x", "https://user@face.example.org", "https://", "http://localhost.evil.org",
        "https://a b"})
    @DisplayName("stops the flow when it is not safe")
    void unsafe(String url) {
        assertThrows(StepFailure.Misconfigured.class, () -> FacestepConfig.of(config(url)));
    }

    @Test
    @DisplayName("has no default")
    void missing() {
        assertThrows(StepFailure.Misconfigured.class, () -> FacestepConfig.of(config(null)));
        assertThrows(StepFailure.Misconfigured.class, () -> FacestepConfig.of((AuthenticatorConfigModel) null));
    }
}
