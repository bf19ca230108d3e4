// @ts-check
// The face page: one button starts the check; the server decides and says where to go.
import { CeremonyError } from '../errors.js';
import { Guide } from '../face/guide.js';
import { askFor } from '../face/instruction.js';
import { runCheck } from '../face/run_check.js';
import { follow } from '../follow.js';
import { sentence, text } from '../page.js';
import { cancelCeremony, runCeremony } from '../run_ceremony.js';
import { showStage } from '../show_stage.js';
import { wake } from '../wake.js';

/** So long the last sentence stays on the screen before the page moves on. */
const READ_MS = 1200;

const video = /** @type {HTMLVideoElement} */ (document.getElementById('face-video'));
const button = /** @type {HTMLButtonElement} */ (document.getElementById('face-start'));
const lamp = /** @type {HTMLElement} */ (document.getElementById('face-light'));
const wantsLight = /** @type {HTMLInputElement | null} */ (document.getElementById('face-light-wanted'));
const guide = new Guide();

const show = {
  /** @param {boolean} on */
  onCamera(on) {
    guide.camera(on);
    if (on) guide.state('ready', text('face.hold'));
  },
  /** @param {any} start */
  onStart(start) {
    guide.dots(start.steps_total);
    guide.step(start.step);
    guide.countdown(start.deadline_ms);
  },
  /** @param {any} answer */
  onProgress(answer) {
    if (answer.step) guide.step(askFor(answer.step, answer.hint));
    else guide.state('checking', text('face.checking'));
    guide.hint(answer.hint);
  },
};

/** @param {any} answer */
function finish(answer) {
  if (answer.state === 'finished') guide.state('finished', text('face.finished'));
  else guide.state('refused', answer.message);
  if (answer.redirect || answer.next) setTimeout(() => follow(answer), READ_MS);
  else offerAgain();
}

function offerAgain() {
  button.hidden = false;
  button.disabled = false;
  button.textContent = text('face.again');
  button.focus();
}

/** Whether the person has just stopped the colours. */
let stopped = false;

function stopLight() {
  stopped = true;
  cancelCeremony();
}

function offerWithoutLight() {
  if (wantsLight) wantsLight.checked = false;
  guide.state('refused', text('error.light_stopped'));
  offerAgain();
}

document.getElementById('face-light-stop')?.addEventListener('click', stopLight);
addEventListener('keydown', ({ key }) => {
  if (key === 'Escape' && !lamp.hidden) stopLight();
});

button.addEventListener('click', async () => {
  stopped = false;
  button.disabled = true;
  button.hidden = true;
  guide.state('ready', text('face.camera_opening'));
  try {
    const light = { lamp, wanted: wantsLight?.checked ?? true };
    finish(await runCeremony((signal) => runCheck(video, light, show, signal)));
  } catch (error) {
    if (stopped) return offerWithoutLight();
    if (showStage(error) || (error instanceof CeremonyError && error.code === 'cancelled')) return;
    guide.state('refused', sentence(error));
    offerAgain();
  }
});
wake(/** @type {HTMLElement} */ (document.getElementById('face-step')));
