// @ts-check
// Passkey pages: #passkey-start with data-mode "register" or "verify".
import { setBusy, showError } from '../bind_form.js';
import { follow } from '../follow.js';
import { sentence } from '../page.js';
import { post } from '../post.js';
import { wake } from '../wake.js';
import { runCeremony } from '../run_ceremony.js';
import { showStage } from '../show_stage.js';
import { registerPasskey } from '../webauthn/register_passkey.js';
import { usePasskey } from '../webauthn/use_passkey.js';

const MODES = {
  register: { options: 'webauthn/register/options', finish: 'webauthn/register', ask: registerPasskey },
  verify: { options: 'webauthn/options', finish: 'webauthn/verify', ask: usePasskey },
};

const button = /** @type {HTMLButtonElement} */ (document.getElementById('passkey-start'));
const panel = /** @type {HTMLElement} */ (button.closest('.panel'));
const mode = MODES[/** @type {keyof typeof MODES} */ (button.dataset.mode)];

button.addEventListener('click', async () => {
  setBusy(panel, true);
  showError(panel, '');
  try {
    follow(
      await runCeremony(async (signal) => {
        const options = await post(mode.options, {}, signal);
        return post(mode.finish, { credential: await mode.ask(options, signal) }, signal);
      }),
    );
  } catch (error) {
    if (showStage(error)) return;
    setBusy(panel, false);
    showError(panel, sentence(error));
    button.focus();
  }
});
wake(panel);
