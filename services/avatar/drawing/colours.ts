/**
 * Colours by what the eye sees of them: OKLCH (lightness 0 to 1, chroma, hue in turns), turned into sRGB; and WCAG's contrast of two. In: what
 * a style wants. Out: a colour that can be told from its background.
 */

import type { Colour } from "./drawing.ts";

/** WCAG 2.2, 1.4.11: what a graphic needs at least. */
export const LEAST_CONTRAST = 3;
export const WHITE: Colour = [255, 255, 255];

/** Red, green and blue as amounts of light, 0 to 1. */
type Linear = readonly [number, number, number];
/** Of each of 256 values of a part. */
const LINEAR = Float64Array.from({ length: 256 }, (_, part) => {
  const share = part / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
});

/** The step in which lightness is taken back until a colour will do, and how often the range of chroma is halved. */
const LIGHTNESS_STEP = 0.01;
const HALVINGS = 7;

/** With as much of the chroma as sRGB has at this lightness and hue. */
export function oklch(lightness: number, chroma: number, hue: number): Colour {
  const a = Math.cos(2 * Math.PI * hue);
  const b = Math.sin(2 * Math.PI * hue);
  const whole = linearRgb(lightness, chroma * a, chroma * b);
  if (isShown(whole)) return encoded(whole);
  let most = 0;
  for (let step = chroma / 2, halving = 0; halving < HALVINGS; step /= 2, halving++) {
    if (isShown(linearRgb(lightness, (most + step) * a, (most + step) * b))) most += step;
  }
  return encoded(linearRgb(lightness, most * a, most * b));
}

/** The same, but as dark as it must be to have `least` contrast to a background that is lighter. */
export function darkOn(background: Colour, lightness: number, chroma: number, hue: number, least: number): Colour {
  for (let light = lightness; light > 0; light -= LIGHTNESS_STEP) {
    const colour = oklch(light, chroma, hue);
    if (contrast(colour, background) >= least) return colour;
  }
  return [0, 0, 0];
}

/** Between 1 and 21 (WCAG 2.2: contrast ratio). */
export function contrast(one: Colour, other: Colour): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance([red, green, blue]: Colour): number {
  return 0.2126 * LINEAR[red]! + 0.7152 * LINEAR[green]! + 0.0722 * LINEAR[blue]!;
}

/** Björn Ottosson's OKLab, by way of its cone responses. */
function linearRgb(lightness: number, a: number, b: number): Linear {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
}

function isShown([red, green, blue]: Linear): boolean {
  return red >= 0 && red <= 1 && green >= 0 && green <= 1 && blue >= 0 && blue <= 1;
}

function encoded([red, green, blue]: Linear): Colour {
  return [encodedPart(red), encodedPart(green), encodedPart(blue)];
}

function encodedPart(linear: number): number {
  const share = Math.min(1, Math.max(0, linear));
  return Math.round(255 * (share <= 0.0031308 ? 12.92 * share : 1.055 * share ** (1 / 2.4) - 0.055));
}
