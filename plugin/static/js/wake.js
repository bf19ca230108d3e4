// @ts-check
/**
 * Let buttons be pressed now that somebody listens. Pages are served with them disabled: a press before the script has arrived
 * would be lost, or would send a form with its code in the address.
 * @param {ParentNode} within
 */
export function wake(within) {
  for (const button of within.querySelectorAll('button')) {
    button.disabled = false;
    if (button.autofocus) button.focus();
  }
}
