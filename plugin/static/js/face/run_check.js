// @ts-check
import { CeremonyError } from '../errors.js';
import { post } from '../post.js';
import { captureFrames } from './capture_frames.js';
import { describeCamera } from './describe_camera.js';
import { FrameChain } from './frame_chain.js';
import { FrameQueue } from './frame_queue.js';
import { openCamera } from './open_camera.js';
import { ScreenLight } from './screen_light.js';
import { sendFrames } from './send_frames.js';

/** Cameras need about this long for exposure and white balance; the attempt is counted only afterwards. */
const SETTLE_MS = 900;

/** The server ends a check at its deadline; without its answer this much later (sleeping tab, frozen camera) we do. */
const GRACE_MS = 3000;

/**
 * Run one face check: camera, challenge, frames, verdict of the server. The camera is off again on every path.
 * @param {HTMLVideoElement} video
 * @param {{lamp: HTMLElement, wanted: boolean}} light what the colours are shown on, and whether the person wants them
 * @param {{onCamera: (on: boolean) => void, onStart: (start: any) => void, onProgress: (answer: any) => void}} show
 * @param {AbortSignal} outer
 * @returns {Promise<any>} the server's last answer, "finished" or "refused"
 */
export async function runCheck(video, light, show, outer) {
  const done = new AbortController();
  const { signal } = done;
  outer.addEventListener('abort', () => done.abort(), { signal });
  const stopCamera = await openCamera(video, { width: 640, height: 480, signal });
  try {
    show.onCamera(true);
    const ended = cameraEnded(video, signal);
    await Promise.race([pause(SETTLE_MS, signal), ended]);
    const start = await post('face/start', { light: light.wanted, camera: describeCamera(video) }, signal);
    if (start.state === 'refused') return start;
    const chain = await FrameChain.open(start.chain_key);
    const startedAt = performance.now();
    show.onStart(start);
    const { batch, batch_most: most, max: maxFrames, interval_ms: intervalMs } = start.frame;
    const queue = new FrameQueue({ batch, batchMs: batch * intervalMs, most, maxFrames });
    const screen = new ScreenLight(light.lamp);
    const lightMs = () => (screen.begunAt === undefined ? null : Math.ceil(screen.begunAt - startedAt));
    const onProgress = (/** @type {any} */ answer) => {
      if (answer.step?.colours) screen.shine(answer.step, signal);
      show.onProgress(answer);
    };
    captureFrames(video, wantedOf(start.frame, startedAt), (jpeg, at) => queue.push(jpeg, at), signal);
    const late = pause(start.deadline_ms + GRACE_MS, signal).then(() => Promise.reject(new CeremonyError('too_late')));
    return await Promise.race([sendFrames(queue, chain, lightMs, onProgress, signal), ended, late]);
  } finally {
    done.abort();
    stopCamera();
    show.onCamera(false);
  }
}

/**
 * @param {any} frame the "frame" part of the server's start answer
 * @param {number} startedAt
 */
function wantedOf(frame, startedAt) {
  const { width, height, interval_ms: intervalMs, jpeg_quality: quality } = frame;
  return { width, height, intervalMs, quality, startedAt };
}

/**
 * Reject when the camera goes away (unplugged, permission withdrawn).
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal
 * @returns {Promise<never>}
 */
function cameraEnded(video, signal) {
  const ended = new Promise((_, reject) => {
    for (const track of /** @type {MediaStream} */ (video.srcObject).getTracks()) {
      track.addEventListener('ended', () => reject(new CeremonyError('camera_ended')), { signal });
    }
  });
  ended.catch(() => {}); // it may come after the race is over
  return /** @type {Promise<never>} */ (ended);
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const cancel = () => {
      clearTimeout(timer);
      reject(new CeremonyError('cancelled'));
    };
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
}
