import assert from 'node:assert/strict';
import test from 'node:test';
import { FrameQueue } from '../../plugin/static/js/face/frame_queue.js';

const sizes = { batch: 6, batchMs: 396, most: 11, maxFrames: 300 };

/** @param {FrameQueue} queue @param {number} count @param {number} from */
function fill(queue, count, from = 0) {
  for (let i = 0; i < count; i += 1) queue.push(/** @type {any} */ (`jpeg${from + i}`), (from + i) * 66);
}

test('nothing is sent before a batch is full', () => {
  const queue = new FrameQueue(sizes);
  fill(queue, 5);
  assert.equal(queue.take(), undefined);
});

test('a slow camera does not make the person wait until a batch is full', () => {
  const queue = new FrameQueue(sizes);
  for (const at of [0, 200, 390]) queue.push(/** @type {any} */ ('jpeg'), at);
  assert.equal(queue.take(), undefined);
  queue.push(/** @type {any} */ ('jpeg'), 600);
  assert.deepEqual(queue.take()?.map((frame) => frame.seq), [0, 1, 2, 3]);
});

test('the first batch begins with the first frame', () => {
  const queue = new FrameQueue(sizes);
  fill(queue, 6);
  assert.deepEqual(queue.take()?.map((frame) => frame.seq), [0, 1, 2, 3, 4, 5]);
});

test('every later batch begins with the last frame of the batch before, with the same picture', () => {
  const queue = new FrameQueue(sizes);
  fill(queue, 6);
  const first = queue.take() ?? [];
  fill(queue, 6, 6);
  const second = queue.take() ?? [];
  assert.deepEqual(second.map((frame) => frame.seq), [5, 6, 7, 8, 9, 10, 11]);
  assert.equal(second[0], first[5]);
});

test('a page that fell behind sends more at once, but never more than the largest batch', () => {
  const queue = new FrameQueue(sizes);
  fill(queue, 6);
  queue.take();
  fill(queue, 20, 6);
  assert.equal(queue.take()?.length, 12);
  assert.deepEqual(queue.take()?.map((frame) => frame.seq), [16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
});

test('the last frames that may be sent are sent, however few they are', () => {
  const queue = new FrameQueue({ ...sizes, maxFrames: 8 });
  fill(queue, 6);
  queue.take();
  fill(queue, 2, 6);
  assert.deepEqual(queue.take()?.map((frame) => frame.seq), [5, 6, 7]);
  assert.equal(queue.take(), undefined);
});

test('times are whole and strictly increasing even if the clock stands still', () => {
  const queue = new FrameQueue({ ...sizes, batch: 3 });
  for (const at of [10.4, 10.4, 9]) queue.push(/** @type {any} */ ('jpeg'), at);
  assert.deepEqual(queue.take()?.map((frame) => frame.captured_ms), [10, 11, 12]);
});

test('no more frames are taken than the server allows', () => {
  const queue = new FrameQueue({ ...sizes, maxFrames: 7 });
  fill(queue, 7);
  assert.equal(queue.push(/** @type {any} */ ('jpeg'), 1000), false);
});

test('whoever waits is woken when a batch is full, and when the check is cancelled', async () => {
  const queue = new FrameQueue(sizes);
  const full = queue.ready();
  fill(queue, 6);
  await full;
  queue.take();
  const cancelled = queue.ready();
  queue.wake();
  await cancelled;
});
