/** Dockerfile and .dockerignore as a builder reads them, as far as ours need it. */

export interface Instruction {
  readonly keyword: string;
  readonly words: readonly string[];
  /** Behind the keyword, as it stands there. */
  readonly text: string;
}

export function readDockerfile(text: string): Instruction[] {
  const lines = text.replaceAll(/^#.*\n/gm, "").replaceAll(/\\\n\s*/g, "").split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => {
    const [, keyword, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (keyword === undefined) throw new Error(`the Dockerfile has a line that is none: ${line}`);
    return { keyword, words: rest!.trim().split(/\s+/), text: rest!.trim() };
  });
}

/** Whether a path of the context, without a slash in front, is left out. The last pattern that fits it, or a folder above it, counts. */
export function ignores(text: string): (path: string) => boolean {
  const patterns = text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"))
    .map(
      (line) => ({ isOut: !line.startsWith("!"), pattern: patternOf(line.replace(/^!/, "")) }),
    );
  return (path) => {
    const parts = path.split("/");
    const upTo = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    return patterns.findLast(({ pattern }) => upTo.some((one) => pattern.test(one)))?.isOut ?? false;
  };
}

function patternOf(glob: string): RegExp {
  const source = glob.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll(
    /\*\*\/|\*/g,
    (stars) => stars === "*" ? "[^/]*" : "(?:.*/)?",
  );
  return new RegExp(`^${source}$`);
}
