// @ts-check
// A simulated camera for tests: getUserMedia gives the stream of a canvas on which a recorded actor obeys #face-step.
// The clips come from the test through window.facestepSimulatedClips(); nothing here needs eval, inline script or the network.
(() => {
  "use strict";
  const WIDTH = 640;
  const HEIGHT = 480;
  const TICK_MS = 33; // fresh noise at 30 Hz, so that no two pictures are equal, as with a real sensor
  const CLIP_FRAME_MS = 1000 / 15;
  const REST_FRAMES = 12; // the actor is still at every so-manieth frame of a loop, so only there may it be left
  const REACTION_MS = [250, 450];

  /** @typedef {{enter: Blob[], loop: Blob[], leave: Blob[]}} Clip */

  /** @param {string} base64 */
  function toBlob(base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
    return new Blob([bytes], { type: "image/jpeg" });
  }

  /** @returns {Promise<Record<string, Clip>>} */
  async function loadClips() {
    // @ts-ignore the binding is installed by the test
    const raw = await window.facestepSimulatedClips();
    /** @type {Record<string, Clip>} */
    const clips = {};
    for (const [name, parts] of Object.entries(raw)) {
      clips[name] = { enter: parts.enter.map(toBlob), loop: parts.loop.map(toBlob), leave: parts.leave.map(toBlob) };
    }
    return clips;
  }

  function instruction() {
    const step = document.getElementById("face-step");
    const running = step && (step.dataset.state ?? "running") === "running";
    const action = (running && step.dataset.action) || "centre";
    const count = action === "blink" ? step?.dataset.count || "1" : "1";
    return { name: `${action}:${count}`, key: running ? `${step.dataset.index}|${action}|${count}` : "none" };
  }

  /** Which picture comes next: the rest of the queue, then the loop of the current clip, or the neutral one. */
  class Player {
    /** @param {Record<string, Clip>} clips */
    constructor(clips) {
      this.clips = clips;
      this.current = clips["centre:1"];
      /** @type {Blob[]} */
      this.queue = [];
      this.key = "none";
      /** @type {{clip: Clip, at: number} | null} */
      this.next = null;
      this.position = 0;
    }

    /** @param {number} now */
    advance(now) {
      const wanted = instruction();
      if (wanted.key !== this.key) {
        this.key = wanted.key;
        const reaction = REACTION_MS[0] + Math.random() * (REACTION_MS[1] - REACTION_MS[0]);
        this.next = { clip: this.clips[wanted.name] ?? this.clips["centre:1"], at: now + reaction };
      }
      const still = this.queue.length === 0 && this.position % REST_FRAMES === 0;
      if (this.next && still && now >= this.next.at) {
        this.queue = [...this.current.leave, ...this.next.clip.enter];
        this.current = this.next.clip;
        this.next = null;
        this.position = 0;
      }
      const queued = this.queue.shift();
      if (queued) return queued;
      const loop = this.current.loop.length > 0 ? this.current.loop : this.clips["centre:1"].loop;
      const picture = loop[this.position % loop.length];
      this.position = (this.position + 1) % loop.length;
      return picture;
    }
  }

  function noiseTile() {
    const tile = new OffscreenCanvas(WIDTH + 64, HEIGHT + 64);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (tile.getContext("2d"));
    const pixels = context.createImageData(tile.width, tile.height);
    for (let i = 0; i < pixels.data.length; i += 4) {
      const grey = Math.random() < 0.5 ? 0 : 255;
      pixels.data[i] = pixels.data[i + 1] = pixels.data[i + 2] = grey;
      pixels.data[i + 3] = Math.floor(Math.random() * 6);
    }
    context.putImageData(pixels, 0, 0);
    return tile;
  }

  async function simulatedStream() {
    const canvas = document.createElement("canvas");
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const player = new Player(await loadClips());
    const noise = noiseTile();
    let picture = await createImageBitmap(player.advance(performance.now()));
    let due = performance.now() + CLIP_FRAME_MS;
    let decoding = false;
    const paint = () => {
      const now = performance.now();
      if (now >= due && !decoding) {
        due = Math.max(due + CLIP_FRAME_MS, now - CLIP_FRAME_MS);
        decoding = true;
        createImageBitmap(player.advance(now)).then((next) => {
          picture.close();
          picture = next;
          decoding = false;
        });
      }
      context.drawImage(picture, 0, 0, WIDTH, HEIGHT);
      context.drawImage(noise, -Math.floor(Math.random() * 64), -Math.floor(Math.random() * 64));
    };
    paint();
    const timer = setInterval(paint, TICK_MS);
    const stream = canvas.captureStream(30);
    stream.getVideoTracks()[0].addEventListener("ended", () => clearInterval(timer));
    return stream;
  }

  if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = simulatedStream;
})();
