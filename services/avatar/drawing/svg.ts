/** A drawing as SVG: of the same shapes as its pixels, with nothing that a browser would have to load or run. */

import type { Colour, Drawing, Layer } from "./drawing.ts";

export function encodeSvg({ size, background, layers }: Drawing): string {
  const space = `xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 ${size} ${size}"`;
  const ground = `<path fill="${hex(background)}" d="M0 0H${size}V${size}H0Z"/>`;
  return `<svg ${space}>${ground}${layers.map(element).join("")}</svg>`;
}

function element(layer: Layer): string {
  if ("polygons" in layer) {
    const paths = layer.polygons.map((polygon) => `M${polygon.map(([x, y]) => `${short(x)} ${short(y)}`).join("L")}Z`);
    return `<path fill="${hex(layer.colour)}" d="${paths.join("")}"/>`;
  }
  const glyphs = layer.glyphs.map(({ path, x, y, scale }) => {
    const place = `translate(${short(x)} ${short(y)})scale(${short(scale)})`;
    return `<path transform="${place}" stroke-width="${short(layer.width / scale)}" d="${path}"/>`;
  });
  const line = `stroke="${hex(layer.colour)}" stroke-linecap="round" stroke-linejoin="round"`;
  return `<g fill="none" ${line}>${glyphs.join("")}</g>`;
}

function hex(colour: Colour): string {
  return `#${Uint8Array.from(colour).toHex()}`;
}

function short(number: number): string {
  return String(Math.round(number * 1000) / 1000);
}
