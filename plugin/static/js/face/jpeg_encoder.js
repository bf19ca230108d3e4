// @ts-check

/**
 * Makes JPEGs of what a video shows now. A worker does it where there is one: on the page itself Chromium encodes when
 * the page is idle, and on a busy machine pictures then wait for seconds (docs/liveness.md, "Slow cameras").
 */
export class JpegEncoder {
  /** @type {Worker | undefined} */
  #worker;
  /** @type {((bytes: ArrayBuffer) => void)[]} */
  #waiting = [];

  /** @param {{width: number, height: number, quality: number}} wanted */
  constructor({ width, height, quality }) {
    this.wanted = { width, height, quality };
    this.canvas = Object.assign(document.createElement('canvas'), { width, height });
    if (!('OffscreenCanvas' in globalThis && 'convertToBlob' in OffscreenCanvas.prototype)) return;
    this.#worker = new Worker(new URL('./jpeg_worker.js', import.meta.url), { type: 'module' });
    this.#worker.addEventListener('message', ({ data }) => this.#waiting.shift()?.(data));
    this.#worker.addEventListener('error', () => this.close());
  }

  /**
   * Return the bytes of the picture that `video` shows at this moment; empty if it could not be had.
   * @param {HTMLVideoElement} video
   * @returns {Promise<ArrayBuffer>}
   */
  async encode(video) {
    const cut = middleOf(video, this.wanted);
    if (!this.#worker) return this.#encodeHere(video, cut);
    const picture = await createImageBitmap(video);
    if (!this.#worker) return new ArrayBuffer(0);
    this.#worker.postMessage({ picture, cut, ...this.wanted }, [picture]);
    return new Promise((done) => this.#waiting.push(done));
  }

  /** End the worker; what it had not done yet is empty. From here on the page encodes by itself. */
  close() {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const done of this.#waiting.splice(0)) done(new ArrayBuffer(0));
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {[number, number, number, number]} cut
   * @returns {Promise<ArrayBuffer>}
   */
  async #encodeHere(video, cut) {
    const { width, height, quality } = this.wanted;
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d', { alpha: false }));
    context.drawImage(video, ...cut, 0, 0, width, height);
    const jpeg = await new Promise((/** @type {BlobCallback} */ done) => this.canvas.toBlob(done, 'image/jpeg', quality));
    return jpeg ? jpeg.arrayBuffer() : new ArrayBuffer(0);
  }
}

/**
 * Return the part in the middle of the video's picture (left, top, width, height) that has the wanted shape.
 * @param {{videoWidth: number, videoHeight: number}} video
 * @param {{width: number, height: number}} wanted
 * @returns {[number, number, number, number]}
 */
export function middleOf({ videoWidth, videoHeight }, { width, height }) {
  const scale = Math.max(width / videoWidth, height / videoHeight);
  const [cutWidth, cutHeight] = [width / scale, height / scale];
  return [(videoWidth - cutWidth) / 2, (videoHeight - cutHeight) / 2, cutWidth, cutHeight];
}
