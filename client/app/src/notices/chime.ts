/** Two short tones, made here: there is no file to load. */

import { inOneTab } from "./tabs.ts";

const TONES = [880, 1318.5];
const EACH_S = 0.12;
const LOUDNESS = 0.06;
/** Between two of them, in milliseconds: many may arrive at once, and in several tabs. */
const EVERY_MS = 1_000;
/** How long a browser may take to let it be heard, in milliseconds. */
const RESUME_MS = 2_000;

let context: AudioContext | undefined;

export async function chime(): Promise<void> {
  // Browsers are silent until one has done something on the page. Another tab may be heard.
  if (navigator.userActivation?.hasBeenActive === false) return;
  await inOneTab("chime", async () => {
    context ??= new AudioContext();
    if (context.state !== "running") await Promise.race([context.resume(), delay(RESUME_MS)]);
    // What is held back would be heard later, all at once.
    if (context.state !== "running") return;
    play(context);
    await delay(EVERY_MS);
  });
}

function play(context: AudioContext): void {
  const from = context.currentTime;
  for (const [index, frequency] of TONES.entries()) {
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    const begin = from + index * EACH_S;
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.01);
    gain.gain.exponentialRampToValueAtTime(0.0001, begin + EACH_S * 2);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(begin);
    oscillator.stop(begin + EACH_S * 2);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
