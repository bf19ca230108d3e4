package io.facestep.keycloak;

/** Why a person is sent to the service. */
enum Purpose {
    LOGIN("login"),
    ENROL("enrol");

    private final String claim;

    Purpose(String claim) {
        this.claim = claim;
    }

    /** The value of the claim {@code purpose}, in the request and in the result. */
    String claim() {
        return claim;
    }
}
