// @ts-check

/** @type {Record<string, string> | undefined} */
let texts;

/**
 * Return the address of a call of this ceremony's API.
 * @param {string} name for example "totp/verify"
 */
export function apiUrl(name) {
  return `${document.body.dataset.api}/${name}`;
}

/**
 * Return the sentence for `key` in the person's language; the server rendered them into the page.
 * @param {string} key
 */
export function text(key) {
  if (!texts) {
    const meta = /** @type {HTMLMetaElement | null} */ (document.querySelector('meta[name="facestep-texts"]'));
    texts = /** @type {Record<string, string>} */ (JSON.parse(meta?.content || '{}'));
  }
  return texts[key] ?? '';
}

/**
 * Return the sentence a person may read about an error.
 * @param {unknown} error
 */
export function sentence(error) {
  const { code = '', publicMessage = '', retryAfterS } = /** @type {Partial<import('./errors.js').CeremonyError>} */ (
    error ?? {}
  );
  const said = publicMessage || text(`error.${code}`) || text('error.unexpected');
  return retryAfterS ? `${said} ${text('error.wait').replace('{seconds}', String(retryAfterS))}` : said;
}
