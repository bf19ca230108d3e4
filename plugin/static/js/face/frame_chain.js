// @ts-check
import { fromBase64url } from '../webauthn/base64url.js';

const TAG_BYTES = 32;

/**
 * Tags the frames of one challenge, each with the tag of the one before, under the key that came with the challenge
 * (biometric/liveness/chain.py): whoever lies between this page and the service cannot drop, swap or re-time a frame.
 */
export class FrameChain {
  #key;
  #last = new Uint8Array(TAG_BYTES);

  /** @param {CryptoKey} key */
  constructor(key) {
    this.#key = key;
  }

  /**
   * @param {string} encoded the challenge's key, base64url
   * @returns {Promise<FrameChain>}
   */
  static async open(encoded) {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    return new FrameChain(await crypto.subtle.importKey('raw', fromBase64url(encoded), algorithm, false, ['sign']));
  }

  /**
   * Tag those frames of a batch that have no tag yet. Batches must come in order, one at a time.
   * @param {import('./frame_queue.js').QueuedFrame[]} batch
   */
  async sign(batch) {
    for (const frame of batch) {
      if (frame.tag) continue;
      const digest = await crypto.subtle.digest('SHA-256', await frame.jpeg.arrayBuffer());
      const message = concatenated(this.#last, placeOf(frame), new Uint8Array(digest));
      this.#last = new Uint8Array(await crypto.subtle.sign('HMAC', this.#key, message));
      frame.tag = Array.from(this.#last, (byte) => byte.toString(16).padStart(2, '0')).join('');
    }
  }
}

/**
 * Return the frame's position in four bytes and its time in eight.
 * @param {{seq: number, captured_ms: number}} frame
 */
function placeOf({ seq, captured_ms }) {
  const place = new DataView(new ArrayBuffer(12));
  place.setUint32(0, seq);
  place.setBigUint64(4, BigInt(captured_ms));
  return new Uint8Array(place.buffer);
}

/** @param {Uint8Array[]} parts */
function concatenated(...parts) {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
