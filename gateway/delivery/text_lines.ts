/** Bytes in, lines of text out, without their ends. A line is at most 1 MiB. */

const LINE_LIMIT = 1024 * 1024;

export class TextLineStream implements TransformStream<Uint8Array<ArrayBuffer>, string> {
  readonly readable: ReadableStream<string>;
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;

  constructor() {
    let rest = "";
    const decoder = new TextDecoderStream();
    this.writable = decoder.writable as WritableStream<Uint8Array<ArrayBuffer>>;
    this.readable = decoder.readable.pipeThrough(
      new TransformStream<string, string>({
        transform(chunk, controller) {
          const lines = (rest + chunk).split("\n");
          rest = lines.pop()!;
          if (rest.length > LINE_LIMIT) throw new Error("a line is over 1 MiB");
          for (const line of lines) if (line !== "") controller.enqueue(line);
        },
      }),
    );
  }
}
