// @ts-check
import { CeremonyError } from '../errors.js';
import { post } from '../post.js';

/**
 * Send batches, one request at a time and in order, until the server has judged.
 * @param {import('./frame_queue.js').FrameQueue} queue
 * @param {import('./frame_chain.js').FrameChain} chain
 * @param {() => number | null} lightMs when the page began to show the colours, on the frames' clock; null before
 * @param {(answer: any) => void} onProgress called for "go_on" and "next_step"
 * @param {AbortSignal} signal
 * @returns {Promise<any>} the answer whose state is "finished" or "refused"
 */
export async function sendFrames(queue, chain, lightMs, onProgress, signal) {
  signal.addEventListener('abort', () => queue.wake(), { once: true });
  for (;;) {
    await queue.ready();
    if (signal.aborted) throw new CeremonyError('cancelled');
    const batch = queue.take();
    if (!batch) continue;
    await chain.sign(batch);
    const answer = await post('face/frames', packFrames(batch, lightMs()), signal);
    if (answer.state === 'finished' || answer.state === 'refused') return answer;
    onProgress(answer);
  }
}

/**
 * Pack a batch as the multipart form the server expects: `meta`, then f0, f1, …
 * @param {import('./frame_queue.js').QueuedFrame[]} batch
 * @param {number | null} lightMs
 */
export function packFrames(batch, lightMs) {
  const form = new FormData();
  const frames = batch.map(({ seq, captured_ms, tag }) => ({ seq, captured_ms, tag }));
  form.append('meta', JSON.stringify({ frames, light_ms: lightMs }));
  batch.forEach(({ jpeg }, index) => form.append(`f${index}`, jpeg, `f${index}.jpg`));
  return form;
}
