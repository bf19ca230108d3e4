// @ts-check
/**
 * A worker that makes a JPEG of every picture it is sent, in order: {picture, width, height, quality, cut} in, bytes out
 * (empty if that failed).
 */
let before = Promise.resolve();

addEventListener('message', ({ data }) => {
  before = before.then(async () => {
    const bytes = await toJpeg(data).catch(() => new ArrayBuffer(0));
    /** @type {any} */ (self).postMessage(bytes, [bytes]);
  });
});

/** @type {OffscreenCanvas | undefined} */
let canvas;

/** @param {{picture: ImageBitmap, width: number, height: number, quality: number, cut: [number, number, number, number]}} wanted */
async function toJpeg({ picture, width, height, quality, cut }) {
  canvas ??= new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d', { alpha: false }));
  context.drawImage(picture, ...cut, 0, 0, width, height);
  picture.close();
  return (await canvas.convertToBlob({ type: 'image/jpeg', quality })).arrayBuffer();
}
