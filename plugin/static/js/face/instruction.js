// @ts-check

/**
 * Return the key of the sentence for a step: "step.centre", "step.turn_left", "step.blink_2", …
 * Left and right are the person's own; the preview is mirrored, so an arrow to the same side of the screen is right.
 * @param {{action: string, index?: number, count?: number}} step
 */
export function instructionKey({ action, index = -1, count = 1 }) {
  if (action === 'centre' && index >= 0) return 'face.good';
  return action === 'blink' ? `step.blink_${count}` : `step.${action}`;
}

/**
 * Return what to ask for now: between two steps, and to begin a turn, the server wants the person to look straight, and
 * once they are near, to stay there.
 * @template {{action: string, count?: number}} Step
 * @param {Step} step
 * @param {string | null | undefined} hint
 * @returns {Step}
 */
export function askFor(step, hint) {
  if (hint === 'look_straight') return { ...step, action: 'centre', count: 1 };
  return hint === 'stay_near' ? { ...step, action: 'stay', count: 1 } : step;
}

/**
 * Return the sentence for a hint of the server; empty for none or one this page does not know.
 * @param {string | null | undefined} hint
 * @param {(key: string) => string} text
 */
export function hintSentence(hint, text) {
  return hint ? text(`hint.${hint}`) : '';
}
