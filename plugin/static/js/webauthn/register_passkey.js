// @ts-check
import { CeremonyError } from '../errors.js';
import { fromBase64url, toBase64url } from './base64url.js';
import { identifyError } from './identify_error.js';

/**
 * Let the person make a passkey for the server's options and return it as JSON.
 * @param {any} options PublicKeyCredentialCreationOptionsJSON
 * @param {AbortSignal} signal
 */
export async function registerPasskey(options, signal) {
  if (!window.PublicKeyCredential) throw new CeremonyError('passkey_unsupported');
  const publicKey = {
    ...options,
    challenge: fromBase64url(options.challenge),
    user: { ...options.user, id: fromBase64url(options.user.id) },
    excludeCredentials: (options.excludeCredentials ?? []).map(withBytes),
  };
  try {
    return describe(await navigator.credentials.create({ publicKey, signal }));
  } catch (cause) {
    throw identifyError(cause);
  }
}

/** @param {{id: string}} descriptor */
function withBytes(descriptor) {
  return { ...descriptor, id: fromBase64url(descriptor.id) };
}

/** @param {Credential | null} made */
function describe(made) {
  if (!(made instanceof PublicKeyCredential)) throw new CeremonyError('passkey_failed');
  const response = /** @type {AuthenticatorAttestationResponse} */ (made.response);
  return {
    id: made.id,
    rawId: toBase64url(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: toBase64url(response.clientDataJSON),
      attestationObject: toBase64url(response.attestationObject),
      transports: response.getTransports?.() ?? [],
    },
  };
}
