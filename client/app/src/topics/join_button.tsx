/** The way into a topic, and out of it. */

import { Button } from "@mantine/core";
import { t } from "../strings/strings.ts";
import { CheckIcon, PlusIcon } from "../ui/icons.tsx";
import { join, leave } from "./changing.ts";
import type { Topic } from "./topics_data.ts";

export function JoinButton({ topic }: { readonly topic: Topic }) {
  const { name, subscribed } = topic;
  return (
    <Button
      variant={subscribed ? "default" : "light"}
      size="xs"
      fz="sm"
      flex="none"
      leftSection={subscribed ? <CheckIcon size={16} /> : <PlusIcon size={16} />}
      aria-label={t(subscribed ? "topics.leaveNamed" : "topics.joinNamed", { name })}
      onClick={() => void (subscribed ? leave(topic) : join(topic))}
    >
      {t(subscribed ? "topics.leave" : "topics.join")}
    </Button>
  );
}
