// @ts-check
// A simulated camera for tests: getUserMedia gives the stream of a canvas on which a recorded actor obeys #face-step.
// The clips come from the test through window.facestepSimulatedClip(name); no eval, no inline script, no request.
(() => {
  "use strict";
  const [WIDTH, HEIGHT] = [640, 480];
  const TICK_MS = 33; // fresh noise at 30 Hz, so that no two pictures are equal, as with a real sensor
  const CLIP_FRAME_MS = 1000 / 15;
  const NEUTRAL = "centre:1";
  const CLIPS = [NEUTRAL, "turn_left:1", "turn_right:1", "smile:1", "blink:1", "blink:2", "blink:3"];
  const REST_FRAMES = 12; // the actor is still at every so-manieth frame of a loop, so only there may it be left
  const REACTION_MS = [250, 450];
  const AGAIN_FRAMES = 48; // whoever sees that the page still waits does it once more
  const ZOOM = 1.025; // room for the sway
  // Sway that never repeats itself lies over the clips, which do: pixels, pixels, radians, share; each a sum of slow waves.
  const SWAY = { x: 3, y: 2, turn: 0.006, zoom: 0.006 };
  const SWAY_PERIODS_MS = [5300, 2900, 1310];

  /** @typedef {{enter: Blob[], loop: Blob[], leave: Blob[]}} Clip */

  const toBlob = (/** @type {string} */ base64) =>
    new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: "image/jpeg" });

  /** @type {Map<string, Clip>} */
  const clips = new Map();

  /** @param {string} name */
  async function load(name) {
    // @ts-ignore the binding is installed by the test
    const raw = await window.facestepSimulatedClip(name);
    clips.set(name, { enter: raw.enter.map(toBlob), loop: raw.loop.map(toBlob), leave: raw.leave.map(toBlob) });
  }

  /** @type {Promise<unknown> | null} */
  let loading = null;

  /** All clips are here before the camera is: nothing may stall the page while it takes pictures. */
  function loadAll() {
    loading ??= CLIPS.reduce((before, name) => before.then(() => load(name)), Promise.resolve());
    return loading;
  }

  function instruction() {
    const { state = "running", index, action, count } = document.getElementById("face-step")?.dataset ?? {};
    if (state !== "running" || !action) return { name: NEUTRAL, key: "none" };
    return { name: `${action}:${action === "blink" ? count : 1}`, key: `${index}|${action}|${count}` };
  }

  /** Which picture comes next: the rest of the queue, then the loop of the current clip, or the neutral one. */
  class Player {
    neutral = /** @type {Clip} */ (clips.get(NEUTRAL));
    current = this.neutral;
    /** @type {Blob[]} */
    queue = [];
    key = "none";
    /** @type {{name: string, at: number} | null} */
    next = null;
    waited = 0;

    /** @param {Clip} clip */
    begin(clip) {
      this.queue = [...this.current.leave, ...clip.enter];
      this.current = clip;
      this.waited = 0;
    }

    /** @param {number} now */
    advance(now) {
      const wanted = instruction();
      if (wanted.key !== this.key) {
        this.key = wanted.key;
        const reaction = REACTION_MS[0] + Math.random() * (REACTION_MS[1] - REACTION_MS[0]);
        this.next = { name: wanted.name, at: now + reaction };
      }
      const still = this.queue.length === 0 && this.waited % REST_FRAMES === 0;
      const clip = this.next && clips.get(this.next.name);
      if (this.next && clip && still && now >= this.next.at) {
        this.begin(clip);
        this.next = null;
      } else if (still && this.waited >= AGAIN_FRAMES) {
        this.begin(this.current);
      }
      const queued = this.queue.shift();
      if (queued) return queued;
      const loop = this.current.loop.length > 0 ? this.current.loop : this.neutral.loop;
      return loop[this.waited++ % loop.length];
    }
  }

  function noiseTile() {
    const tile = new OffscreenCanvas(WIDTH + 64, HEIGHT + 64);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (tile.getContext("2d"));
    const pixels = context.createImageData(tile.width, tile.height);
    for (let i = 0; i < pixels.data.length; i += 4) {
      const grey = Math.random() < 0.5 ? 0 : 255;
      pixels.data.set([grey, grey, grey, Math.floor(Math.random() * 6)], i);
    }
    context.putImageData(pixels, 0, 0);
    return tile;
  }

  /** Waves with phases of this session's own. */
  function makeSway() {
    const phases = Object.fromEntries(
      Object.keys(SWAY).map((axis) => [axis, SWAY_PERIODS_MS.map(() => Math.random() * 2 * Math.PI)]),
    );
    return (/** @type {keyof SWAY} */ axis, /** @type {number} */ now) =>
      SWAY_PERIODS_MS.reduce(
        (sum, period, k) => sum + (SWAY[axis] / (1 + k)) * Math.sin((2 * Math.PI * now) / period + phases[axis][k]),
        0,
      );
  }

  async function simulatedStream() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [WIDTH, HEIGHT];
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    await loadAll();
    const player = new Player();
    const [noise, sway] = [noiseTile(), makeSway()];
    let picture = await createImageBitmap(player.advance(performance.now()));
    let due = performance.now() + CLIP_FRAME_MS;
    let decoding = false;
    const decode = async (/** @type {number} */ now) => {
      decoding = true;
      due = Math.max(due + CLIP_FRAME_MS, now - CLIP_FRAME_MS);
      const next = await createImageBitmap(player.advance(now));
      picture.close();
      picture = next;
      decoding = false;
    };
    const paint = () => {
      const now = performance.now();
      if (now >= due && !decoding) decode(now);
      const zoom = ZOOM + sway("zoom", now);
      context.setTransform(zoom, 0, 0, zoom, WIDTH / 2 + sway("x", now), HEIGHT / 2 + sway("y", now));
      context.rotate(sway("turn", now));
      context.drawImage(picture, -WIDTH / 2, -HEIGHT / 2, WIDTH, HEIGHT);
      context.resetTransform();
      context.drawImage(noise, -Math.floor(Math.random() * 64), -Math.floor(Math.random() * 64));
    };
    const timer = setInterval(paint, TICK_MS);
    const stream = canvas.captureStream(30);
    stream.getVideoTracks()[0].addEventListener("ended", () => clearInterval(timer));
    return stream;
  }

  if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = simulatedStream;
  addEventListener("DOMContentLoaded", () => document.getElementById("face-step") && loadAll());
})();
