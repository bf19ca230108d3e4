// @ts-check

/**
 * Return the key of the sentence for a step: "step.centre", "step.turn_left", "step.blink_2", …
 * Left and right are the person's own; the preview is mirrored, so an arrow to the same side of the screen is right.
 * @param {{action: string, count?: number}} step
 */
export function instructionKey({ action, count = 1 }) {
  return action === 'blink' ? `step.blink_${count}` : `step.${action}`;
}

/**
 * Return the sentence for a hint of the server; empty for none or one this page does not know.
 * @param {string | null | undefined} hint
 * @param {(key: string) => string} text
 */
export function hintSentence(hint, text) {
  return hint ? text(`hint.${hint}`) : '';
}
