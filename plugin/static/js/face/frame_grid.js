// @ts-check

/** A picture may come this part of an interval early, else a 15 Hz camera with jitter would give us 7 a second. */
const EARLY = 0.25;

/**
 * Return a function that tells for each camera picture whether it is to be taken, so that about one an interval is.
 * @param {number} intervalMs
 * @returns {(nowMs: number) => boolean}
 */
export function frameGrid(intervalMs) {
  let due = 0;
  return (nowMs) => {
    if (nowMs < due - intervalMs * EARLY) return false;
    due = (nowMs > due + intervalMs ? nowMs : due) + intervalMs; // after a pause start anew instead of catching up
    return true;
  };
}
