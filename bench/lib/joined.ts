/** What was left of a stream, and what came after it, as one; `rest` is undefined where nothing was left. */
export function joined<T extends ArrayBufferLike>(
  rest: Uint8Array | undefined,
  chunk: Uint8Array<T>,
): Uint8Array<T | ArrayBuffer> {
  if (rest === undefined) return chunk;
  const bytes = new Uint8Array(rest.length + chunk.length);
  bytes.set(rest);
  bytes.set(chunk, rest.length);
  return bytes;
}
