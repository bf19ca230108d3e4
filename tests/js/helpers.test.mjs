import assert from 'node:assert/strict';
import test from 'node:test';
import { CeremonyError } from '../../plugin/static/js/errors.js';
import { frameGrid } from '../../plugin/static/js/face/frame_grid.js';
import { askFor, hintSentence, instructionKey } from '../../plugin/static/js/face/instruction.js';
import { middleOf } from '../../plugin/static/js/face/jpeg_encoder.js';
import { cancelCeremony, runCeremony } from '../../plugin/static/js/run_ceremony.js';
import { fromBase64url, toBase64url } from '../../plugin/static/js/webauthn/base64url.js';
import { identifyError } from '../../plugin/static/js/webauthn/identify_error.js';

/** @param {number} hz @param {number} jitterMs */
function takenInTwoSeconds(hz, jitterMs = 0) {
  const isDue = frameGrid(66);
  let taken = 0;
  for (let i = 0; i < 2 * hz; i += 1) if (isDue((i * 1000) / hz + (i % 2 ? -jitterMs : jitterMs))) taken += 1;
  return taken;
}

for (const [hz, jitter] of [[15, 0], [15, 8], [30, 0], [30, 5], [60, 0], [120, 0]]) {
  test(`a camera of ${hz} Hz with ${jitter} ms jitter gives about 15 pictures a second`, () => {
    const taken = takenInTwoSeconds(hz, jitter);
    assert.ok(taken >= 28 && taken <= 31, `${taken} in two seconds`);
  });
}

test('a camera of 24 Hz still gives at least 12 pictures a second', () => {
  assert.ok(takenInTwoSeconds(24) >= 24);
});

test('after a pause the grid does not catch up with a burst', () => {
  const isDue = frameGrid(66);
  isDue(0);
  assert.deepEqual([3000, 3010, 3020, 3030].map(isDue), [true, false, false, false]);
});

test('a blink step names its count, other steps do not', () => {
  assert.equal(instructionKey({ action: 'blink', count: 2 }), 'step.blink_2');
  assert.equal(instructionKey({ action: 'turn_left' }), 'step.turn_left');
});

test('between two steps the person is asked to look straight, whatever the step was', () => {
  const step = { index: 1, action: 'turn_left', count: 1 };
  assert.equal(askFor(step, 'turn_more'), step);
  assert.equal(instructionKey(askFor(step, 'look_straight')), 'face.good');
  assert.equal(instructionKey({ index: -1, action: 'centre' }), 'step.centre');
});

test('a hint becomes its sentence, an unknown or missing one becomes nothing', () => {
  /** @param {string} key */
  const text = (key) => ({ 'hint.too_dark': 'Too dark.' })[key] ?? '';
  assert.deepEqual(['too_dark', 'unheard_of', null].map((hint) => hintSentence(hint, text)), ['Too dark.', '', '']);
});

test('base64url goes both ways without padding', () => {
  const bytes = Uint8Array.from([0, 251, 255, 254, 62, 63, 1]);
  const encoded = toBase64url(bytes.buffer);
  assert.match(encoded, /^[A-Za-z0-9_-]+$/);
  assert.deepEqual(new Uint8Array(fromBase64url(encoded)), bytes);
});

for (const [name, code] of [
  ['NotAllowedError', 'passkey_dismissed'],
  ['InvalidStateError', 'passkey_known'],
  ['ConstraintError', 'passkey_unsupported'],
  ['OperationError', 'passkey_failed'],
]) {
  test(`${name} of the browser is our ${code}, with the original as cause`, () => {
    const original = new DOMException('vague', name);
    const error = identifyError(original);
    assert.deepEqual([error.code, error.cause], [code, original]);
  });
}

test('a second ceremony cancels the first', async () => {
  /** @param {AbortSignal} signal */
  const untilAborted = (signal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
  const first = runCeremony(untilAborted);
  const second = runCeremony(async () => 'second');
  await assert.rejects(first, (error) => error instanceof CeremonyError && error.code === 'cancelled');
  assert.equal(await second, 'second');
});

test('leaving the page cancels what runs, and an error of its own passes through', async () => {
  const running = runCeremony((signal) => new Promise((_, no) => signal.addEventListener('abort', () => no(new Error()))));
  cancelCeremony();
  await assert.rejects(running, { code: 'cancelled' });
  await assert.rejects(runCeremony(async () => Promise.reject(new CeremonyError('network'))), { code: 'network' });
});

test('the middle of a picture is cut to the wanted shape and nothing is stretched', () => {
  const wanted = { width: 640, height: 480 };
  assert.deepEqual(middleOf({ videoWidth: 1280, videoHeight: 720 }, wanted), [160, 0, 960, 720]);
  assert.deepEqual(middleOf({ videoWidth: 480, videoHeight: 640 }, wanted), [0, 140, 480, 360]);
});
