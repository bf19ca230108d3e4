// @ts-check
// What somebody who sits in the browser could do: keep a copy of every upload of frames. Installed by tests only.
(() => {
  "use strict";
  const fetchAsIs = window.fetch;
  /** @param {FormData} form */
  async function copyOf(form) {
    const copy = new Response(form);
    const type = copy.headers.get("Content-Type");
    const bytes = new Uint8Array(await copy.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return { type, body: btoa(text) };
  }
  window.fetch = (url, init) => {
    if (init?.body instanceof FormData) {
      // @ts-ignore the binding is installed by the test
      copyOf(init.body).then((copy) => window.facestepKeepUpload(copy));
    }
    return fetchAsIs(url, init);
  };
})();
