// @ts-check
import { follow } from './follow.js';
import { sentence } from './page.js';
import { post } from './post.js';
import { runCeremony } from './run_ceremony.js';
import { showStage } from './show_stage.js';
import { wake } from './wake.js';

/**
 * Let a `<form data-post="…">` send its fields as JSON and follow the answer; errors are shown beside it.
 * @param {HTMLFormElement} form
 */
export function bindForm(form) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (!form.reportValidity()) return;
    setBusy(form, true);
    showError(form, '');
    try {
      follow(await runCeremony((signal) => post(form.dataset.post ?? '', fieldsOf(form), signal)));
    } catch (error) {
      if (showStage(error)) return;
      setBusy(form, false);
      showError(form, sentence(error));
      const field = /** @type {HTMLInputElement | null} */ (form.querySelector('input[type="text"]'));
      field?.focus();
      field?.select();
    }
  });
  wake(form);
}

/**
 * Return the form's named fields; a checkbox is a real boolean, everything else a trimmed string.
 * @param {HTMLFormElement} form
 */
export function fieldsOf(form) {
  /** @type {Record<string, string | boolean>} */
  const fields = {};
  for (const element of form.elements) {
    if (!(element instanceof HTMLInputElement) || !element.name) continue;
    fields[element.name] = element.type === 'checkbox' ? element.checked : element.value.trim();
  }
  return fields;
}

/**
 * Show `message` in the form's (or panel's) alert, or hide the alert when it is empty.
 * @param {Element} panel
 * @param {string} message
 */
export function showError(panel, message) {
  const alert = /** @type {HTMLElement | null} */ (panel.querySelector('[role="alert"]'));
  if (!alert) return;
  alert.textContent = message;
  alert.hidden = !message;
  for (const field of panel.querySelectorAll('input[type="text"]')) {
    if (message) field.setAttribute('aria-invalid', 'true');
    else field.removeAttribute('aria-invalid');
  }
}

/**
 * Keep a panel's buttons from being pressed twice while the server answers.
 * @param {Element} panel
 * @param {boolean} busy
 */
export function setBusy(panel, busy) {
  panel.toggleAttribute('data-busy', busy);
  panel.setAttribute('aria-busy', String(busy));
  for (const button of panel.querySelectorAll('button')) button.disabled = busy;
}
