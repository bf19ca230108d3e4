// @ts-check
import { text } from '../page.js';
import { hintSentence, instructionKey } from './instruction.js';

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * What the person sees and hears of the check. All state is in #face-step's data attributes; CSS does the rest.
 */
export class Guide {
  #step = element('face-step');
  #instruction = element('face-instruction');
  #hint = element('face-hint');
  #announcer = element('face-announcer');
  #dots = element('face-dots');
  #left = element('face-time-left');
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;
  /** @type {string | null | undefined} */
  #lastHint;

  /**
   * @param {"ready" | "running" | "checking" | "finished" | "refused"} state
   * @param {string} sentence shown large and announced
   */
  state(state, sentence) {
    this.#step.dataset.state = state;
    if (state !== 'running') clearInterval(this.#clock);
    this.#say(sentence);
    this.hint(null);
  }

  /** Show the preview, or the idle picture when the camera is off. @param {boolean} on */
  camera(on) {
    this.#step.dataset.camera = on ? 'on' : 'off';
  }

  /** @param {{index: number, action: string, count?: number}} step */
  step({ index, action, count = 1 }) {
    const { dataset } = this.#step;
    if (dataset.index === String(index) && dataset.action === action && dataset.state === 'running') return;
    Object.assign(dataset, { index: String(index), action, count: String(count), state: 'running' });
    [...this.#dots.children].forEach((dot, position) => {
      dot.classList.toggle('done', position < index);
      dot.classList.toggle('now', position === index);
    });
    this.#say(text(instructionKey({ action, index, count })));
  }

  /**
   * Show a hint once the server has given it twice in a row: one that comes and goes only distracts.
   * @param {string | null | undefined} hint
   */
  hint(hint) {
    const sentence = hint === this.#lastHint ? hintSentence(hint, text) : '';
    this.#lastHint = hint;
    if (this.#hint.textContent !== sentence) this.#hint.textContent = sentence;
  }

  /** @param {number} total */
  dots(total) {
    this.#dots.replaceChildren(...Array.from({ length: total }, () => document.createElement('span')));
  }

  /** Count down to the deadline. @param {number} deadlineMs */
  countdown(deadlineMs) {
    const end = performance.now() + deadlineMs;
    const show = () => {
      const ms = Math.max(0, end - performance.now());
      this.#left.textContent = text('seconds_left').replace('{seconds}', String(Math.ceil(ms / 1000)));
      /** @type {HTMLProgressElement} */ (element('face-clock')).value = ms / deadlineMs;
      if (ms === 0) clearInterval(this.#clock);
    };
    clearInterval(this.#clock);
    this.#clock = setInterval(show, 200);
    show();
  }

  /** @param {string} sentence */
  #say(sentence) {
    this.#instruction.textContent = sentence;
    this.#announcer.textContent = sentence;
  }
}
