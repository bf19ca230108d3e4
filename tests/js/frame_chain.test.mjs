import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import test from 'node:test';
import { FrameChain } from '../../plugin/static/js/face/frame_chain.js';

const key = Buffer.from(Array.from({ length: 32 }, (_, byte) => byte));

/** @param {number} count @param {number} from @returns {any[]} */
function frames(count, from = 0) {
  return Array.from({ length: count }, (_, place) => ({
    seq: from + place,
    captured_ms: (from + place) * 66 + 2 ** 33, // more than 32 bits
    jpeg: new Blob([`picture ${from + place}`]),
  }));
}

/** @param {any[]} signed */
async function expected(signed) {
  let last = Buffer.alloc(32);
  const tags = [];
  for (const { seq, captured_ms, jpeg } of signed) {
    const place = Buffer.alloc(12);
    place.writeUInt32BE(seq);
    place.writeBigUInt64BE(BigInt(captured_ms), 4);
    const digest = createHash('sha256').update(Buffer.from(await jpeg.arrayBuffer())).digest();
    last = createHmac('sha256', key).update(Buffer.concat([last, place, digest])).digest();
    tags.push(last.toString('hex'));
  }
  return tags;
}

test('every frame is tagged with the one before', async () => {
  const chain = await FrameChain.open(key.toString('base64url'));
  const batch = frames(6);
  await chain.sign(batch);
  assert.deepEqual(batch.map((frame) => frame.tag), await expected(batch));
});

test('the chain goes on over batches, and a repeated frame keeps its tag', async () => {
  const chain = await FrameChain.open(key.toString('base64url'));
  const first = frames(3);
  await chain.sign(first);
  const { tag } = first[2];
  const second = [first[2], ...frames(3, 3)];
  await chain.sign(second);
  assert.equal(second[0].tag, tag);
  assert.deepEqual([...first, ...second.slice(1)].map((frame) => frame.tag), await expected([...first, ...second.slice(1)]));
});

test('a key that is none is refused', async () => {
  await assert.rejects(FrameChain.open(''));
});
