/** The number of unseen notifications where one sees it while looking elsewhere: in the title and on the page's icon. */

import { followUnseen, unseenCount } from "../inbox/unseen.ts";
import { setUnseenInTitle } from "./title.ts";

const SIZE = 64;

/** Follows the number. The answer ends that. */
export function showBadge(): () => void {
  const link = document.querySelector<HTMLLinkElement>("link[rel=icon]")!;
  const plain = link.href;
  const image = new Image();
  let shown: number | undefined;
  const show = () => {
    const count = unseenCount() ?? 0;
    setUnseenInTitle(count);
    if (count === shown || !image.complete) return;
    shown = count;
    link.href = count === 0 ? plain : withBadge(image, count);
  };
  image.onload = show;
  image.src = plain;
  show();
  const end = followUnseen(show);
  return () => {
    end();
    link.href = plain;
    setUnseenInTitle(0);
  };
}

function withBadge(image: HTMLImageElement, count: number): string {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const context = canvas.getContext("2d");
  if (context === null) return image.src;
  context.drawImage(image, 0, 0, SIZE, SIZE);
  context.fillStyle = "#e5484d";
  context.beginPath();
  context.arc(44, 20, 20, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = "#fff";
  context.font = `700 ${count > 9 ? 24 : 30}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(count > 99 ? "99+" : `${count}`, 44, 22, 36);
  return canvas.toDataURL("image/png");
}
