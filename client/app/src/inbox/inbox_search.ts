/** The inbox's filters as they stand in its address. */

export interface InboxSearch {
  readonly topic?: string;
  readonly from?: string;
  readonly unseen?: true;
}

export function inboxSearch({ topic, from, unseen }: Record<string, unknown>): InboxSearch {
  return {
    ...typeof topic === "string" ? { topic } : {},
    ...typeof from === "string" ? { from } : {},
    ...unseen === true ? { unseen } : {},
  };
}
