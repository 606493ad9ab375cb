/** Pictures of boards, drawn by a browser: Grafana's own can't be had where these tests run. */

import { join } from "node:path";
import { delay } from "../../kit/time.ts";
import { CHROMIUM, startBrowser } from "../helpers/browser.ts";
import type { Range, Series } from "./answers.ts";
import { drawBoard, PAGE_WIDTH } from "./drawing.ts";
import { type BoardJson, panelsWithQueries } from "./grafana.ts";

/** Where pictures are left, for whoever wants to see them; docs/images has those of `deno task boards:pictures`. */
export const SCREENSHOTS = Deno.env.get("NOTIFYX_SCREENSHOTS");
/** How much a picture shows; so long is waited for. */
const SHOWN_SECONDS = Number(Deno.env.get("NOTIFYX_TEST_BOARDS_SECONDS") ?? 60);
const STEP_SECONDS = 5;

export async function drawBoards(
  folder: string,
  boards: readonly BoardJson[],
  seriesOf: (board: BoardJson, range: Range) => Promise<Map<number, Series[]>>,
): Promise<void> {
  if (CHROMIUM === undefined) return console.log("boards: no pictures, since there is no Chromium");
  await delay(SHOWN_SECONDS * 1000);
  const end = Date.now() / 1000;
  const range = { start: end - SHOWN_SECONDS, end, stepSeconds: STEP_SECONDS, rateInterval: `${4 * STEP_SECONDS}s` };
  await using browser = await startBrowser();
  await using context = await browser.newContext({ viewport: { width: PAGE_WIDTH, height: 900 } });
  const page = await context.newPage();
  for (const board of boards.filter((board) => panelsWithQueries(board).length > 0)) {
    await page.setContent(drawBoard(board, await seriesOf(board, range), range));
    await page.screenshot({ path: join(folder, `${board.uid.replace("notifyx", "board")}.png`), fullPage: true });
  }
}
