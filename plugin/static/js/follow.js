// @ts-check
import { CeremonyError } from './errors.js';

/**
 * Go where the server says: to our next page (`next`) or back to the identity provider (`redirect`).
 * @param {{next?: unknown, redirect?: unknown}} answer
 */
export function follow(answer) {
  const target = answer.redirect ?? answer.next;
  if (typeof target !== 'string') throw new CeremonyError('answer_unreadable');
  const url = new URL(target, location.href);
  if (!['https:', 'http:'].includes(url.protocol)) throw new CeremonyError('answer_unreadable');
  location.replace(url);
}
