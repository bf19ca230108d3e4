package io.facestep.keycloak;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

import org.keycloak.authentication.AuthenticatorUtil;
import org.keycloak.models.AuthenticationExecutionModel;
import org.keycloak.models.AuthenticationFlowModel;
import org.keycloak.models.AuthenticatorConfigModel;
import org.keycloak.models.RealmModel;
import org.keycloak.provider.ProviderConfigProperty;
import org.keycloak.provider.ProviderConfigurationBuilder;

/**
 * Where the service is.
 *
 * <p>One place holds it: the configuration of the execution {@code facestep-authenticator}, which the admin console shows. The
 * required action and the erasure read it there too. A missing or unsafe address stops the flow; there is no default.
 */
record FacestepConfig(String serviceUrl) {

    static final String SERVICE_URL = "facestep.url";

    /** The authentication context class that the service is asked for, and must answer. */
    static final String ACR = "facestep";

    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

    static List<ProviderConfigProperty> properties() {
        return ProviderConfigurationBuilder.create()
                .property()
                .name(SERVICE_URL)
                .label("Facestep address")
                .helpText("Issuer URL of the Facestep service, without a slash at its end; https unless it is on loopback.")
                .type(ProviderConfigProperty.STRING_TYPE)
                .required(true)
                .add()
                .build();
    }

    /** Read the configuration of one execution. */
    static FacestepConfig of(AuthenticatorConfigModel model) throws StepFailure.Misconfigured {
        if (model == null || model.getConfig() == null) {
            throw new StepFailure.Misconfigured("the execution has no configuration");
        }
        return new FacestepConfig(checked(model.getConfig().get(SERVICE_URL)));
    }

    /** Read the configuration of the realm's Facestep execution, the browser flow's first. */
    static FacestepConfig of(RealmModel realm) throws StepFailure.Misconfigured {
        Stream<String> flows = Stream.concat(
                Stream.ofNullable(realm.getBrowserFlow()), realm.getAuthenticationFlowsStream()).map(AuthenticationFlowModel::getId);
        AuthenticatorConfigModel model = flows
                .flatMap(flow -> AuthenticatorUtil.getExecutionsByType(realm, flow, FacestepAuthenticatorFactory.ID).stream())
                .map(AuthenticationExecutionModel::getAuthenticatorConfig)
                .filter(Objects::nonNull)
                .map(realm::getAuthenticatorConfigById)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
        return of(model);
    }

    /** Return {@code url} if a person or a key may be sent there. */
    static String checked(String url) throws StepFailure.Misconfigured {
        if (url == null || url.isBlank() || url.endsWith("/")) {
            throw new StepFailure.Misconfigured(SERVICE_URL + " must be a URL without a slash at its end");
        }
        try {
            URI uri = new URI(url);
            boolean safe = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme()) && LOOPBACK.contains(uri.getHost());
            if (!safe || uri.getHost() == null || uri.getRawQuery() != null || uri.getRawFragment() != null || uri.getRawUserInfo() != null) {
                throw new StepFailure.Misconfigured(SERVICE_URL + " must be https (http on loopback only), without query or fragment");
            }
            return url;
        } catch (URISyntaxException e) {
            throw new StepFailure.Misconfigured(SERVICE_URL + " is not a URL");
        }
    }
}
