// @ts-check
import { CeremonyError } from '../errors.js';

/** DOM error names of getUserMedia (Media Capture and Streams, 10.2) and what they mean to us. */
const CODES = new Map([
  ['NotAllowedError', 'camera_denied'],
  ['SecurityError', 'camera_denied'],
  ['NotFoundError', 'camera_absent'],
  ['OverconstrainedError', 'camera_absent'],
  ['NotReadableError', 'camera_busy'],
  ['AbortError', 'camera_busy'],
]);

/**
 * Open the camera into `video` and wait for its first picture. The caller stops it with the returned function, on
 * every path; until then the tracks belong to nobody else.
 * @param {HTMLVideoElement} video
 * @param {{width: number, height: number, signal: AbortSignal}} wanted
 * @returns {Promise<() => void>}
 */
export async function openCamera(video, { width, height, signal }) {
  if (!navigator.mediaDevices?.getUserMedia) throw new CeremonyError('camera_unsupported');
  const stream = await ask({ width, height });
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  try {
    if (signal.aborted) throw new CeremonyError('cancelled');
    video.srcObject = stream;
    await video.play();
    return stop;
  } catch (cause) {
    stop();
    throw cause instanceof CeremonyError ? cause : new CeremonyError('camera_busy', { cause });
  }
}

/** @param {{width: number, height: number}} wanted */
async function ask({ width, height }) {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: 'user', width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30 } },
    });
  } catch (cause) {
    const name = cause instanceof DOMException ? cause.name : '';
    throw new CeremonyError(CODES.get(name) ?? 'camera_absent', { cause });
  }
}
