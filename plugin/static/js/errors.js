// @ts-check

/**
 * The one error of the pages. `code` is stable: a code of the server's table, or one of
 * "network", "answer_unreadable", "cancelled", "camera_denied", "camera_absent", "camera_busy",
 * "camera_unsupported", "camera_ended", "too_late", "passkey_unsupported", "passkey_dismissed", "passkey_known", "passkey_failed".
 * The DOM's own error stays as `cause`.
 */
export class CeremonyError extends Error {
  /**
   * @param {string} code
   * @param {{message?: string, retryAfterS?: number, cause?: unknown}} [more]
   */
  constructor(code, { message = '', retryAfterS, cause } = {}) {
    super(message || code, { cause });
    this.name = 'CeremonyError';
    this.code = code;
    /** The server's public sentence; empty where the page must find its own words. */
    this.publicMessage = message;
    this.retryAfterS = retryAfterS;
  }
}
