// @ts-check
// A simulated camera for tests: getUserMedia gives the stream of a canvas on which a recorded actor obeys #face-step.
// The clips come from the test through window.facestepSimulatedClip(name); no eval, no inline script, no request.
// What the page's light, #face-light, shines in falls on the face of the clip, and hardly on what is behind it.
(() => {
  "use strict";
  const [WIDTH, HEIGHT] = [640, 480];
  const TICK_MS = 33; // fresh noise at 30 Hz, so that no two pictures are equal, as with a real sensor
  const CLIP_FRAME_MS = 1000 / 30;
  const NEUTRAL = "centre:1";
  const CLIPS = [NEUTRAL, "turn_left:1", "turn_right:1", "smile:1", "blink:1", "blink:2", "blink:3", "closer:1"];
  const NEAR = "closer:1"; // whoever has come nearer stays, also under the light
  const REST_FRAMES = 24; // the actor is still at every so-manieth frame of a loop, so only there may it be left
  const REACTION_MS = [250, 450];
  const AGAIN_FRAMES = 96; // whoever sees that the page still waits does it once more
  const ZOOM = 1.025; // room for the sway
  // Sway that never repeats itself lies over the clips, which do: pixels, pixels, radians, share; each a sum of slow waves.
  const SWAY = { x: 3, y: 2, turn: 0.006, zoom: 0.006 };
  const SWAY_PERIODS_MS = [5300, 2900, 1310];
  // Light of a white screen on a near face in a room in the evening, as a share of the picture's values.
  const LIGHT_SHARE = 0.065;
  // Where it falls is said by the clip of a lifted head; on what else is held up, a print or a screen, it falls evenly.

  /** @typedef {{enter: Blob[], loop: Blob[], leave: Blob[]}} Clip */

  const toBlob = (/** @type {string} */ base64) =>
    new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: "image/jpeg" });

  /** @type {Map<string, Clip>} */
  const clips = new Map();
  /** @type {ImageBitmap | null} */
  let fallsOn = null;

  /** @param {string} name */
  async function load(name) {
    // @ts-ignore the binding is installed by the test
    const raw = await window.facestepSimulatedClip(name);
    clips.set(name, { enter: raw.enter.map(toBlob), loop: raw.loop.map(toBlob), leave: raw.leave.map(toBlob) });
    if (name === NEAR && raw.light.length) fallsOn = await createImageBitmap(toBlob(raw.light[0]));
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
    const name = action === "flash" ? NEAR : `${action}:${action === "blink" ? count : 1}`;
    return { name, key: `${index}|${action}|${count}` };
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
        if (clip !== this.current || this.next.name !== NEAR) this.begin(clip);
        this.next = null;
      } else if (still && this.waited >= AGAIN_FRAMES && this.current !== clips.get(NEAR)) {
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

  /** The light, linear, that the page's colour of this instant gives; null while it is dark. */
  function shownLight() {
    const light = document.getElementById("face-light");
    // @ts-ignore the test's word that this camera sees other light: a film, a window
    if (window.facestepLightIsElsewhere || !light?.checkVisibility()) return null;
    const [red, green, blue, alpha = 1] = (getComputedStyle(light).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (!alpha || !(red + green + blue)) return null;
    const [r, g, b] = [red, green, blue].map((code) => Math.round(255 * (code / 255) ** 2.2)); // codes are not light
    return `rgb(${r}, ${g}, ${b})`;
  }

  /** A lamp that adds, for each pixel of a picture, a share of itself in the light's colour. */
  function makeLamp() {
    const layer = new OffscreenCanvas(WIDTH, HEIGHT);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (layer.getContext("2d"));
    return (/** @type {CanvasRenderingContext2D} */ target, /** @type {string} */ colour) => {
      context.globalCompositeOperation = "copy";
      context.drawImage(target.canvas, 0, 0);
      context.globalCompositeOperation = "multiply";
      context.fillStyle = colour;
      context.fillRect(0, 0, WIDTH, HEIGHT);
      if (fallsOn) {
        context.globalCompositeOperation = "destination-in";
        context.drawImage(fallsOn, 0, 0);
      }
      target.globalCompositeOperation = "lighter";
      target.globalAlpha = LIGHT_SHARE;
      target.drawImage(layer, 0, 0);
      target.globalAlpha = 1;
      target.globalCompositeOperation = "source-over";
    };
  }

  async function simulatedStream() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [WIDTH, HEIGHT];
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    await loadAll();
    const player = new Player();
    const [noise, sway, lamp] = [noiseTile(), makeSway(), makeLamp()];
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
      const light = shownLight();
      if (light) lamp(context, light);
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
