/** What each socket is told of each message, in all servers: the same fields with values of the same lengths. */

export const DOCUMENT =
  "subscription { notificationReceived { id message createdAt cursor topic { id name } from { email } } }";
export const TOPIC_NAME = "bench topic";

/** The message of number `nth`, of one length. */
export function messageOf(nth: number): string {
  return String(nth).padStart(6, "0");
}

export function notification(nth: number) {
  return {
    id: crypto.randomUUID(),
    message: messageOf(nth),
    createdAt: new Date().toISOString(),
    cursor: "WyI4YTUzNDdjMGE2YTQiLCIxMjM0NSJd",
    topic: { id: "01a20dd2-db01-706e-b38f-cbf856644820", name: TOPIC_NAME },
    from: { email: "user1-0e66328a@example.com" },
  };
}

/** The whole message as all are told it who have an operation of the same id. */
export function frameOf(nth: number): string {
  return JSON.stringify({
    id: "00000000-0000-4000-8000-000000000000",
    type: "next",
    payload: { data: { notificationReceived: notification(nth) } },
  });
}
