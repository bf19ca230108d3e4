// @ts-check

/**
 * Put `value` on the clipboard; tell whether the browser let us.
 * @param {string} value
 * @returns {Promise<boolean>}
 */
export async function copyText(value) {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    return false; // no permission, or no clipboard: the text is on the page and can be selected by hand
  }
}
