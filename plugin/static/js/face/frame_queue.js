// @ts-check

/**
 * One camera frame that waits to be sent.
 * @typedef {{seq: number, captured_ms: number, jpeg: Blob}} QueuedFrame
 */

/**
 * Frames in order, cut into batches. Every batch after the first begins with the last frame of the batch before, so
 * that the server can follow points and the chain of frames from one request to the next.
 */
export class FrameQueue {
  /** @type {QueuedFrame[]} */
  #waiting = [];
  /** @type {QueuedFrame | undefined} */
  #last;
  #taken = 0;
  #lastMs = -1;
  /** @type {(() => void) | undefined} */
  #wake;

  /** @param {{batch: number, most: number, maxFrames: number}} sizes new frames in a usual and in the largest batch */
  constructor({ batch, most, maxFrames }) {
    this.batch = batch;
    this.most = most;
    this.maxFrames = maxFrames;
  }

  /**
   * Add a picture; false when no more are wanted.
   * @param {Blob} jpeg
   * @param {number} capturedMs
   */
  push(jpeg, capturedMs) {
    const captured_ms = Math.max(Math.round(capturedMs), this.#lastMs + 1);
    if (this.#taken >= this.maxFrames) return false;
    this.#waiting.push({ seq: this.#taken, captured_ms, jpeg });
    this.#taken += 1;
    this.#lastMs = captured_ms;
    if (this.#waiting.length >= this.batch) this.#wake?.();
    return true;
  }

  /** Return the next batch, or undefined until enough frames wait. @returns {QueuedFrame[] | undefined} */
  take() {
    if (this.#waiting.length < this.batch) return undefined;
    const fresh = this.#waiting.splice(0, this.most);
    const batch = this.#last ? [this.#last, ...fresh] : fresh;
    this.#last = fresh[fresh.length - 1];
    return batch;
  }

  /** Resolve when a batch may be there. */
  async ready() {
    if (this.#waiting.length >= this.batch) return;
    await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    this.#wake = undefined;
  }

  /** Wake whoever waits in `ready()`, for example because the check was cancelled. */
  wake() {
    this.#wake?.();
  }
}
