package io.facestep.keycloak;

/**
 * The step did not succeed. Whatever the kind, the login goes no further.
 *
 * <p>{@code code} goes to Keycloak's event log; it never holds a biometric value or anything a person typed.
 */
abstract sealed class StepFailure extends Exception
        permits StepFailure.Refused, StepFailure.Unavailable, StepFailure.Misconfigured {

    private static final long serialVersionUID = 1L;

    private final String code;

    private StepFailure(String code, String detail, Throwable cause) {
        super(detail == null ? code : code + ": " + detail, cause);
        this.code = code;
    }

    final String code() {
        return code;
    }

    /** The service or one of our own checks said no. */
    static final class Refused extends StepFailure {
        private static final long serialVersionUID = 1L;

        Refused(String code) {
            super(code, null, null);
        }

        Refused(String code, Throwable cause) {
            super(code, cause.getMessage(), cause);
        }
    }

    /** The service could not be asked. */
    static final class Unavailable extends StepFailure {
        private static final long serialVersionUID = 1L;

        Unavailable(String detail) {
            super("service_unavailable", detail, null);
        }

        Unavailable(String detail, Throwable cause) {
            super("service_unavailable", detail, cause);
        }
    }

    /** The realm or the service is not set up; only an administrator can mend it. */
    static final class Misconfigured extends StepFailure {
        private static final long serialVersionUID = 1L;

        Misconfigured(String detail) {
            super("not_set_up", detail, null);
        }
    }
}
