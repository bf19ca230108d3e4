package io.facestep.keycloak;

import jakarta.ws.rs.core.Response;
import org.keycloak.forms.login.LoginFormsProvider;

/** The page a person sees when the step did not succeed: one sentence, a button to try again, and Keycloak's other ways. */
final class ResultPage {

    private static final String TEMPLATE = "facestep-result.ftl";

    private ResultPage() {
    }

    static Response show(LoginFormsProvider form, StepFailure failure, Purpose purpose) {
        return form.setAttribute("facestepPurpose", purpose.claim())
                .setError(messageKey(failure))
                .setStatus(failure instanceof StepFailure.Refused ? Response.Status.OK : Response.Status.SERVICE_UNAVAILABLE)
                .createForm(TEMPLATE);
    }

    static Response showLocked(LoginFormsProvider form) {
        return form.setAttribute("facestepPurpose", Purpose.LOGIN.claim()).setError("facestepRefused").createForm(TEMPLATE);
    }

    /** One sentence for every miss, so that an attacker learns nothing from it. */
    static String messageKey(StepFailure failure) {
        if (failure instanceof StepFailure.Unavailable) {
            return "facestepUnavailable";
        }
        if (failure instanceof StepFailure.Misconfigured) {
            return "facestepNotSetUp";
        }
        return StepAnswer.CANCELLED.equals(failure.code()) ? "facestepCancelled" : "facestepRefused";
    }
}
