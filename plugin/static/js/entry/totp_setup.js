// @ts-check
// Authenticator app set-up: asks for the secret once the page is open and shows it as a picture and as text.
import { showError } from '../bind_form.js';
import { copyText } from '../copy_text.js';
import { sentence, text } from '../page.js';
import { post } from '../post.js';
import { showStage } from '../show_stage.js';

const panel = /** @type {HTMLElement} */ (document.getElementById('totp-secret'));
const secret = /** @type {HTMLElement} */ (document.getElementById('totp-secret-text'));
const status = /** @type {HTMLElement} */ (document.getElementById('totp-status'));

/** @param {{otpauth_uri: string, secret: string, qr_svg: string}} setup */
function show(setup) {
  const picture = /** @type {HTMLImageElement} */ (document.getElementById('totp-qr'));
  picture.src = `data:image/svg+xml,${encodeURIComponent(setup.qr_svg)}`;
  secret.textContent = setup.secret.replace(/(.{4})(?=.)/g, '$1 ');
  /** @type {HTMLAnchorElement} */ (document.getElementById('totp-link')).href = setup.otpauth_uri;
  panel.hidden = false;
  status.textContent = '';
}

document.getElementById('totp-copy')?.addEventListener('click', async () => {
  const copied = await copyText((secret.textContent ?? '').replaceAll(' ', ''));
  status.textContent = text(copied ? 'copied' : 'copy_failed');
});

try {
  show(await post('totp/setup', {}));
} catch (error) {
  status.textContent = '';
  if (!showStage(error)) showError(/** @type {HTMLElement} */ (panel.closest('.card')), sentence(error));
}
