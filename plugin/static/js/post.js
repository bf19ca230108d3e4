// @ts-check
import { CeremonyError } from './errors.js';
import { apiUrl } from './page.js';

/**
 * POST to this ceremony's API and return the answer's object.
 *
 * The mode stays "cors" (fetch's own default): then `Origin` is sent under every referrer policy, and the server
 * refuses a call without it.
 * @param {string} name
 * @param {object | FormData} body
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function post(name, body, signal) {
  const form = body instanceof FormData;
  /** @type {Record<string, string>} */
  const headers = { 'X-Facestep': '1', Accept: 'application/json' };
  if (!form) headers['Content-Type'] = 'application/json';
  const response = await send(apiUrl(name), {
    method: 'POST',
    headers,
    body: form ? body : JSON.stringify(body),
    credentials: 'same-origin',
    redirect: 'error',
    signal,
  });
  const answer = await readAnswer(response);
  if (response.ok) return answer;
  throw new CeremonyError(String(answer.error ?? 'answer_unreadable'), {
    message: typeof answer.message === 'string' ? answer.message : '',
    retryAfterS: Number(response.headers.get('Retry-After')) || undefined,
  });
}

/**
 * @param {string} url
 * @param {RequestInit} init
 */
async function send(url, init) {
  try {
    return await fetch(url, init);
  } catch (cause) {
    throw new CeremonyError(init.signal?.aborted ? 'cancelled' : 'network', { cause });
  }
}

/** @param {Response} response */
async function readAnswer(response) {
  try {
    const answer = await response.json();
    if (answer && typeof answer === 'object') return answer;
  } catch (cause) {
    throw new CeremonyError('answer_unreadable', { cause });
  }
  throw new CeremonyError('answer_unreadable');
}
