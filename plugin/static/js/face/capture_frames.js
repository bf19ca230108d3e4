// @ts-check
import { frameGrid } from './frame_grid.js';

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
  const canvas = document.createElement('canvas');
  canvas.width = wanted.width;
  canvas.height = wanted.height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { alpha: false }));
  const isDue = frameGrid(wanted.intervalMs);
  let encoding = false;
  let last = new Uint8Array();

  /** @param {number} capturedMs */
  async function take(capturedMs) {
    drawMiddle(context, video);
    const jpeg = await new Promise((/** @type {BlobCallback} */ done) => canvas.toBlob(done, 'image/jpeg', wanted.quality));
    if (!jpeg || signal.aborted) return;
    const bytes = new Uint8Array(await jpeg.arrayBuffer());
    if (sameBytes(bytes, last) || signal.aborted) return;
    last = bytes;
    onFrame(jpeg, capturedMs);
  }

  function look() {
    if (signal.aborted) return;
    const capturedMs = performance.now() - wanted.startedAt;
    if (!encoding && isDue(capturedMs)) {
      encoding = true;
      take(capturedMs).finally(() => (encoding = false));
    }
    onNextPicture(video, look);
  }
  onNextPicture(video, look);
}

/**
 * Draw the middle of the video's picture so that it fills the canvas.
 * @param {CanvasRenderingContext2D} context
 * @param {HTMLVideoElement} video
 */
function drawMiddle(context, video) {
  const { width, height } = context.canvas;
  const scale = Math.max(width / video.videoWidth, height / video.videoHeight);
  const [cutWidth, cutHeight] = [width / scale, height / scale];
  const [left, top] = [(video.videoWidth - cutWidth) / 2, (video.videoHeight - cutHeight) / 2];
  context.drawImage(video, left, top, cutWidth, cutHeight, 0, 0, width, height);
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
