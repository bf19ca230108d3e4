// @ts-check
// Every page: forms that post JSON. Pages with more to do add their own entry.
import { bindForm } from '../bind_form.js';
import { cancelCeremony } from '../run_ceremony.js';

for (const form of document.querySelectorAll('form[data-post]')) {
  bindForm(/** @type {HTMLFormElement} */ (form));
}
document.documentElement.classList.add('has-script');
addEventListener('pagehide', cancelCeremony);
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload(); // brought back from the back-forward cache: the stage may be another by now
});
