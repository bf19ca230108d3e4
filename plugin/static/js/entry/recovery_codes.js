// @ts-check
// Recovery codes: keep them by print, copy or download. Nothing leaves the page.
import { copyText } from '../copy_text.js';
import { text } from '../page.js';

const codes = [...document.querySelectorAll('#recovery-codes li')].map((item) => item.textContent?.trim() ?? '');
const status = /** @type {HTMLElement} */ (document.getElementById('recovery-status'));

document.getElementById('recovery-print')?.addEventListener('click', () => window.print());

document.getElementById('recovery-copy')?.addEventListener('click', async () => {
  status.textContent = text((await copyText(codes.join('\n'))) ? 'copied' : 'copy_failed');
});

document.getElementById('recovery-download')?.addEventListener('click', () => {
  const url = URL.createObjectURL(new Blob([`${codes.join('\n')}\n`], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'recovery-codes.txt';
  link.click();
  URL.revokeObjectURL(url);
  status.textContent = text('downloaded');
});
