// @ts-check
import { CeremonyError } from '../errors.js';
import { fromBase64url, toBase64url } from './base64url.js';
import { identifyError } from './identify_error.js';

/**
 * Let the person sign the server's challenge with a passkey and return the assertion as JSON.
 * @param {any} options PublicKeyCredentialRequestOptionsJSON
 * @param {AbortSignal} signal
 */
export async function usePasskey(options, signal) {
  if (!window.PublicKeyCredential) throw new CeremonyError('passkey_unsupported');
  const allowed = /** @type {{id: string}[]} */ (options.allowCredentials ?? []);
  const publicKey = {
    ...options,
    challenge: fromBase64url(options.challenge),
    allowCredentials: allowed.map((one) => ({ ...one, id: fromBase64url(one.id) })),
  };
  try {
    return describe(await navigator.credentials.get({ publicKey, signal }));
  } catch (cause) {
    throw identifyError(cause);
  }
}

/** @param {Credential | null} used */
function describe(used) {
  if (!(used instanceof PublicKeyCredential)) throw new CeremonyError('passkey_failed');
  const response = /** @type {AuthenticatorAssertionResponse} */ (used.response);
  return {
    id: used.id,
    rawId: toBase64url(used.rawId),
    type: used.type,
    response: {
      clientDataJSON: toBase64url(response.clientDataJSON),
      authenticatorData: toBase64url(response.authenticatorData),
      signature: toBase64url(response.signature),
      userHandle: response.userHandle ? toBase64url(response.userHandle) : null,
    },
  };
}
