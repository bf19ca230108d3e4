// @ts-check
import { frameGrid } from './frame_grid.js';
import { JpegEncoder } from './jpeg_encoder.js';

/** Pictures that may be on their way through the encoder: half a second of them, so that a short stall loses none. */
const MOST_ENCODING = 8;

/**
 * Take about one JPEG an interval from `video` and hand it to `onFrame`, until it says no or the signal aborts.
 * The picture is cut to the wanted shape in the middle (as the preview shows it) and is not mirrored. Some drivers and
 * browsers give the same picture twice to keep a rate; it is left out, since to the server it would look like a replay.
 * @param {HTMLVideoElement} video
 * @param {{width: number, height: number, intervalMs: number, quality: number, startedAt: number}} wanted
 * @param {(jpeg: Blob, capturedMs: number) => boolean} onFrame
 * @param {AbortSignal} signal
 */
export function captureFrames(video, wanted, onFrame, signal) {
  const encoder = new JpegEncoder(wanted);
  signal.addEventListener('abort', () => encoder.close(), { once: true });
  const isDue = frameGrid(wanted.intervalMs);
  let encoding = 0;
  let before = Promise.resolve();
  let last = new Uint8Array();

  /** @param {Promise<ArrayBuffer>} jpeg @param {number} capturedMs @param {Promise<void>} earlier */
  async function handOver(jpeg, capturedMs, earlier) {
    const bytes = new Uint8Array(await jpeg.catch(() => new ArrayBuffer(0)));
    await earlier;
    encoding -= 1;
    if (signal.aborted || bytes.length === 0 || sameBytes(bytes, last)) return;
    last = bytes;
    onFrame(new Blob([bytes], { type: 'image/jpeg' }), capturedMs);
  }

  function look() {
    if (signal.aborted) return;
    const capturedMs = performance.now() - wanted.startedAt;
    if (encoding < MOST_ENCODING && isDue(capturedMs)) {
      encoding += 1;
      before = handOver(encoder.encode(video), capturedMs, before);
    }
    onNextPicture(video, look);
  }
  onNextPicture(video, look);
}

/**
 * @param {Uint8Array} one
 * @param {Uint8Array} other
 */
export function sameBytes(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/**
 * Call `then` once the camera has a new picture.
 * @param {HTMLVideoElement} video
 * @param {() => void} then
 */
function onNextPicture(video, then) {
  if ('requestVideoFrameCallback' in video) {
    video.requestVideoFrameCallback(then);
    return;
  }
  const seen = /** @type {HTMLVideoElement} */ (video).currentTime;
  const poll = () => {
    if (/** @type {HTMLVideoElement} */ (video).currentTime !== seen) then();
    else requestAnimationFrame(poll);
  };
  requestAnimationFrame(poll);
}
