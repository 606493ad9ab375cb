/** What the tabs of this app leave to one of them, by Web Locks. Where there are none, each is as if it were alone. */

const LOOKED_AT = "notifyx:looked-at";

/** Lets the other tabs know while this page is looked at. The answer ends that. */
export function tellWhileLookedAt(): () => void {
  let release = () => {};
  const follow = () => {
    release();
    if (document.hidden) return;
    const gone = new Promise<void>((resolve) => release = resolve);
    void locks()?.request(LOOKED_AT, { mode: "shared" }, () => gone);
  };
  follow();
  document.addEventListener("visibilitychange", follow);
  return () => {
    document.removeEventListener("visibilitychange", follow);
    release();
  };
}

/** Whether this page or another tab is looked at. */
export async function isLookedAt(): Promise<boolean> {
  if (!document.hidden) return true;
  const { held = [] } = await locks()?.query() ?? {};
  return held.some(({ name }) => name === LOOKED_AT);
}

/** Runs it unless some tab does so now. */
export async function inOneTab(name: string, run: () => Promise<void>): Promise<void> {
  const all = locks();
  if (all === undefined) return run();
  await all.request(`notifyx:${name}`, { ifAvailable: true }, (lock) => lock === null ? undefined : run());
}

function locks(): LockManager | undefined {
  return (navigator as { readonly locks?: LockManager }).locks;
}
