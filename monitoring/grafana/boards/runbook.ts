/** docs/runbook.md as a board: a panel for each of its paragraphs, so that whoever has Grafana open has it too, and panels lead to theirs. */

import { type Board, uidOf } from "./board.ts";
import { text } from "./panels.ts";

export const RUNBOOK = "runbook";
const FILE = new URL("../../../docs/runbook.md", import.meta.url);
/** The first paragraph's panel: before it come the row's and that of what stands before all paragraphs. */
const FIRST_ID = 3;

interface Paragraph {
  readonly name: string;
  /** Markdown. */
  readonly content: string;
}

export class RunbookLinks {
  constructor(private readonly paragraphs: readonly Paragraph[]) {}

  /** Of a paragraph's panel, which then fills the page. @throws Error where there is no such paragraph */
  urlOf(name: string): string {
    const nth = this.paragraphs.findIndex((one) => one.name === name);
    if (nth === -1) throw new Error(`docs/runbook.md has no paragraph ${name}`);
    return `/d/${uidOf(RUNBOOK)}?viewPanel=${nth + FIRST_ID}`;
  }
}

export function readRunbook(): { board: Board; links: RunbookLinks } {
  const [head, ...parts] = Deno.readTextFileSync(FILE).split(/^## /m);
  const paragraphs = parts.map((part): Paragraph => {
    const end = part.indexOf("\n");
    return { name: part.slice(0, end).trim(), content: part.slice(end).trim() };
  });
  const board: Board = {
    id: RUNBOOK,
    title: "Runbook",
    description: "What each alert means, where to look, what to do.",
    rows: [{
      title: "What to do when an alert fires",
      panels: [
        text({ title: "All of them", content: head!.replace(/^# .*$/m, "").trim() }),
        ...paragraphs.map(({ name, content }) => text({ title: name, content })),
      ],
    }],
  };
  return { board, links: new RunbookLinks(paragraphs) };
}
