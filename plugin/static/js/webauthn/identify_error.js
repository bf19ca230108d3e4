// @ts-check
import { CeremonyError } from '../errors.js';

/** DOM error names of WebAuthn (Web Authentication Level 3, 5.1.3 and 5.1.4) and what they mean to us. */
const CODES = new Map([
  ['NotAllowedError', 'passkey_dismissed'], // refused, timed out, or no matching key: browsers do not tell which
  ['AbortError', 'cancelled'],
  ['InvalidStateError', 'passkey_known'], // step 20 of create(): an excluded credential is already there
  ['NotSupportedError', 'passkey_unsupported'],
  ['ConstraintError', 'passkey_unsupported'], // no authenticator that can verify the user
]);

/**
 * Return our error for a vague one of the browser, with the original as `cause`.
 * @param {unknown} cause
 */
export function identifyError(cause) {
  if (cause instanceof CeremonyError) return cause;
  const name = cause instanceof DOMException ? cause.name : '';
  return new CeremonyError(CODES.get(name) ?? 'passkey_failed', { cause });
}
