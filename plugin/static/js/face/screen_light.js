// @ts-check

/**
 * What the server asks the screen to show: colours as [red, green, blue] from 0 to 255, each for so many milliseconds.
 * @typedef {{colours: [number, number, number][], hold_ms: number}} LightShow
 */

/** The page is dark for this long before the first colour, so that what was on it before does not count as light. */
const DARK_MS = 300;

/**
 * Turns the whole page into a lamp. It covers everything while the colours are shown, with one button to stop them.
 */
export class ScreenLight {
  /** When the first colour was painted, on the page's clock; undefined before. @type {number | undefined} */
  begunAt;
  #lamp;
  #running = false;

  /** @param {HTMLElement} lamp covers the page while it is not hidden */
  constructor(lamp) {
    this.#lamp = lamp;
  }

  /**
   * Show the colours once; a second call while they are shown, or after, does nothing.
   * @param {LightShow} show
   * @param {AbortSignal} signal ends them at once
   */
  async shine({ colours, hold_ms: holdMs }, signal) {
    if (this.#running || this.begunAt !== undefined) return;
    this.#running = true;
    this.#paint([0, 0, 0]);
    this.#lamp.hidden = false;
    signal.addEventListener('abort', () => this.#darken(), { once: true });
    await reached(performance.now() + DARK_MS);
    for (const [place, colour] of colours.entries()) {
      if (!this.#running) return;
      this.#paint(colour);
      this.begunAt ??= performance.now();
      await reached(this.begunAt + (place + 1) * holdMs);
    }
    this.#darken();
  }

  #darken() {
    this.#running = false;
    this.#lamp.hidden = true;
  }

  /** @param {[number, number, number]} colour */
  #paint(colour) {
    this.#lamp.style.backgroundColor = `rgb(${colour.join(' ')})`;
  }
}

/**
 * Resolve with the first repaint at or after `when`.
 * @param {number} when on the clock of performance.now()
 * @returns {Promise<void>}
 */
function reached(when) {
  return new Promise((resolve) => {
    const look = (/** @type {number} */ now) => {
      if (now >= when) resolve();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}
