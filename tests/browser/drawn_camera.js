// @ts-check
// A camera that shows a drawing of a person: for pictures of our pages, which never hold a real face.
(() => {
  'use strict';
  /** @param {CanvasRenderingContext2D} context @param {number} tick */
  function draw(context, tick) {
    const wall = context.createLinearGradient(0, 0, 640, 480);
    wall.addColorStop(0, '#7c93b8');
    wall.addColorStop(1, '#42557a');
    context.fillStyle = wall;
    context.fillRect(0, 0, 640, 480);
    const ellipse = (/** @type {string} */ colour, /** @type {number[]} */ [x, y, rx, ry]) => {
      context.fillStyle = colour;
      context.beginPath();
      context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
      context.fill();
    };
    ellipse('#23395d', [320, 520, 220, 150]);
    ellipse('#c99a78', [320, 380, 48, 70]);
    ellipse('#3b2a20', [320, 205, 112, 140]);
    ellipse('#dcae8c', [320, 235, 92, 122]);
    ellipse('#3b2a20', [320, 118, 92, 40]);
    for (const x of [284, 356]) {
      ellipse('#ffffff', [x, 222, 15, 9]);
      ellipse('#2b2018', [x, 222, 7, 8]);
    }
    ellipse('#c79a79', [320, 258, 11, 15]);
    ellipse('#a8574f', [320, 304, 28, 7]);
    context.fillStyle = `rgb(${tick % 255} 90 120)`;
    context.fillRect(0, 0, 1, 1);
  }

  async function drawnStream() {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [640, 480];
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    let tick = 0;
    draw(context, tick);
    setInterval(() => draw(context, (tick += 1)), 33);
    return canvas.captureStream(30);
  }

  if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = drawnStream;
})();
