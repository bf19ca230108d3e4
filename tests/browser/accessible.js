// Simple accessibility questions, asked of the page as it is now. Returns sentences about what is wrong.
() => {
  const wrong = [];
  const visible = (element) => element.getClientRects().length > 0;
  const nameOf = (element) =>
    (element.getAttribute('aria-label') || [...(element.labels ?? [])].map((label) => label.textContent).join(' ') ||
      element.textContent || element.getAttribute('alt') || '').trim();

  if (!document.documentElement.lang) wrong.push('the page has no language');
  if (document.querySelectorAll('h1').length !== 1) wrong.push('there is not exactly one h1');
  if (document.querySelectorAll('main').length !== 1) wrong.push('there is not exactly one main');
  for (const field of document.querySelectorAll('input:not([type=hidden]), button, a[href], video, progress')) {
    if (visible(field) && !nameOf(field)) wrong.push(`no name: ${field.outerHTML.slice(0, 80)}`);
  }
  for (const image of document.querySelectorAll('img:not([alt])')) wrong.push(`no alt: ${image.id}`);
  for (const drawing of document.querySelectorAll('svg:not([aria-hidden=true])')) wrong.push(`svg speaks: ${drawing.id}`);
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) wrong.push(`id used twice: ${id}`);
  for (const element of document.querySelectorAll('[aria-describedby], [aria-labelledby]')) {
    const named = `${element.getAttribute('aria-describedby') ?? ''} ${element.getAttribute('aria-labelledby') ?? ''}`;
    for (const id of named.trim().split(/\s+/)) if (!document.getElementById(id)) wrong.push(`no such id: ${id}`);
  }
  if (document.querySelector('[tabindex]:not([tabindex="-1"]):not([tabindex="0"])')) wrong.push('tab order is forced');
  for (const control of document.querySelectorAll('button, .ways a, .choice, input[type=text]')) {
    const box = control.getBoundingClientRect();
    if (visible(control) && box.height < 24) wrong.push(`too small to touch: ${control.outerHTML.slice(0, 80)}`);
  }

  // contrast (WCAG 2.2, 1.4.3) of every visible text against the nearest painted background
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) =>
    [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if ((colour[3] ?? 1) > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !visible(element) || element.closest('.unseen, [disabled], noscript, .stage-hint')) continue;
    const [front, back] = [light(channels(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(1)}: ${walker.currentNode.textContent.trim().slice(0, 40)}`);
  }
  return wrong;
}
