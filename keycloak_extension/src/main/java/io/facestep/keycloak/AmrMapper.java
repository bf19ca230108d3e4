package io.facestep.keycloak;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import org.keycloak.OAuth2Constants;
import org.keycloak.common.util.Time;
import org.keycloak.models.ClientSessionContext;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.ProtocolMapperModel;
import org.keycloak.models.UserSessionModel;
import org.keycloak.protocol.oidc.mappers.AbstractOIDCProtocolMapper;
import org.keycloak.protocol.oidc.mappers.OIDCAccessTokenMapper;
import org.keycloak.protocol.oidc.mappers.OIDCAttributeMapperHelper;
import org.keycloak.protocol.oidc.mappers.OIDCIDTokenMapper;
import org.keycloak.provider.ProviderConfigProperty;
import org.keycloak.provider.ProviderConfigurationBuilder;
import org.keycloak.representations.IDToken;

/**
 * Puts {@code face} and the possession factor into the claim {@code amr}, while the proof is fresh.
 *
 * <p>Keycloak's own AMR mapper knows one value per execution; one Facestep execution proves two things. Values that another mapper
 * has already put there stay. A bad age in the configuration means no value, never a longer one.
 */
public final class AmrMapper extends AbstractOIDCProtocolMapper implements OIDCIDTokenMapper, OIDCAccessTokenMapper {

    static final String ID = "facestep-amr-mapper";
    static final String MAX_AGE = "facestep.max.age";

    @Override
    public String getId() {
        return ID;
    }

    @Override
    public String getDisplayType() {
        return "Facestep AMR";
    }

    @Override
    public String getDisplayCategory() {
        return TOKEN_MAPPER_CATEGORY;
    }

    @Override
    public String getHelpText() {
        return "Adds face and the possession factor of a fresh Facestep check to amr.";
    }

    @Override
    public List<ProviderConfigProperty> getConfigProperties() {
        List<ProviderConfigProperty> properties = new ArrayList<>(ProviderConfigurationBuilder.create()
                .property()
                .name(MAX_AGE)
                .label("Maximum age in seconds")
                .helpText("How long after the check a token may still say how the person was checked.")
                .type(ProviderConfigProperty.STRING_TYPE)
                .defaultValue("36000")
                .add()
                .build());
        OIDCAttributeMapperHelper.addIncludeInTokensConfig(properties, AmrMapper.class);
        return properties;
    }

    @Override
    protected void setClaim(IDToken token, ProtocolMapperModel model, UserSessionModel userSession, KeycloakSession session,
            ClientSessionContext context) {
        List<String> proved = SessionProof.fresh(userSession, Time.currentTimeSeconds(), maxAge(model)).amr();
        if (!proved.isEmpty()) {
            token.setOtherClaims(OAuth2Constants.AUTHENTICATOR_METHOD_REFERENCE,
                    merged(token.getOtherClaims().get(OAuth2Constants.AUTHENTICATOR_METHOD_REFERENCE), proved));
        }
    }

    static List<String> merged(Object present, List<String> proved) {
        Set<String> values = new LinkedHashSet<>();
        if (present instanceof Collection<?> others) {
            others.forEach(other -> values.add(String.valueOf(other)));
        }
        values.addAll(proved);
        return List.copyOf(values);
    }

    private static long maxAge(ProtocolMapperModel model) {
        String text = model.getConfig().get(MAX_AGE);
        return text != null && text.matches("[0-9]{1,9}") ? Long.parseLong(text) : -1;
    }
}
