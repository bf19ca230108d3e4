// @ts-check

/** The server takes no longer label. */
const LONGEST_LABEL = 200;

/**
 * Return what the browser says of the camera behind `video`. The server compares the label with known virtual cameras
 * and forgets it; nothing is decided by it.
 * @param {HTMLVideoElement} video
 * @returns {{label: string, width: number | null, height: number | null, frame_rate: number | null}}
 */
export function describeCamera(video) {
  const [track] = /** @type {MediaStream} */ (video.srcObject).getVideoTracks();
  const { width = null, height = null, frameRate = null } = track?.getSettings() ?? {};
  return { label: (track?.label ?? '').slice(0, LONGEST_LABEL), width, height, frame_rate: frameRate };
}
