/** Splits text into lines, whatever the pieces it comes in. */

/** A process that writes on and on without an end of line must not fill our memory, in characters. */
const LONGEST_LINE = 64 * 1024;

export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let rest = "";
    super({
      transform(chunk, controller) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line.replace(/\r$/, ""));
        if (rest.length > LONGEST_LINE) {
          controller.enqueue(rest);
          rest = "";
        }
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
