// @ts-check

/**
 * One camera frame that waits to be sent; `tag` once it has its place in the chain (frame_chain.js).
 * @typedef {{seq: number, captured_ms: number, jpeg: Blob, tag?: string}} QueuedFrame
 */

/**
 * Frames in order, cut into batches. A batch is due when it is full, or when its first frame has waited for as long as a
 * full one takes: a slow camera must not make the person wait for an answer. Every batch after the first begins with
 * the last frame of the batch before, so that the server can follow points and the chain of frames from one request to
 * the next.
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

  /**
   * @param {{batch: number, batchMs: number, most: number, maxFrames: number}} sizes new frames in a usual and in the
   *   largest batch; how long a usual one takes
   */
  constructor({ batch, batchMs, most, maxFrames }) {
    this.batch = batch;
    this.batchMs = batchMs;
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
    if (this.#isDue()) this.#wake?.();
    return true;
  }

  /** Return the next batch, or undefined until enough frames wait. @returns {QueuedFrame[] | undefined} */
  take() {
    if (!this.#isDue()) return undefined;
    const fresh = this.#waiting.splice(0, this.most);
    const batch = this.#last ? [this.#last, ...fresh] : fresh;
    this.#last = fresh[fresh.length - 1];
    return batch;
  }

  /** Resolve when a batch may be there. */
  async ready() {
    if (this.#isDue()) return;
    await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    this.#wake = undefined;
  }

  #isDue() {
    const [first] = this.#waiting;
    if (!first) return false;
    const full = this.#waiting.length >= this.batch || this.#taken >= this.maxFrames; // the last of all ends the challenge
    return full || this.#lastMs - first.captured_ms >= this.batchMs;
  }

  /** Wake whoever waits in `ready()`, for example because the check was cancelled. */
  wake() {
    this.#wake?.();
  }
}
