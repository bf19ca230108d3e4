// @ts-check

/** What the server says when this page is no longer the page of the ceremony's stage. */
const GONE = new Set(['ceremony_refused', 'possession_first']);

/**
 * Load the page of the stage the ceremony has really reached, if `error` says that this is another one.
 * @param {unknown} error
 * @returns {boolean} whether the page is being loaded anew
 */
export function showStage(error) {
  const gone = GONE.has(/** @type {{code?: string}} */ (error ?? {}).code ?? '');
  if (gone) location.reload();
  return gone;
}
