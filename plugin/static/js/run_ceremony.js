// @ts-check
import { CeremonyError } from './errors.js';

/** @type {AbortController | undefined} */
let running;

/**
 * Run one ceremony (a form, a passkey prompt, a face check); a second call cancels the first.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} step
 * @returns {Promise<T>}
 */
export async function runCeremony(step) {
  running?.abort();
  const mine = (running = new AbortController());
  try {
    return await step(mine.signal);
  } catch (cause) {
    if (mine.signal.aborted) throw new CeremonyError('cancelled', { cause });
    throw cause;
  } finally {
    if (running === mine) running = undefined;
  }
}

/** Cancel whatever runs, for example because the page is left. */
export function cancelCeremony() {
  running?.abort();
}
