/** What is shown where a page can't be: with the reason, and a way on. */

import { useNavigate, useRouter } from "@tanstack/react-router";
import { errorText } from "../data/errors.ts";
import { t } from "../strings/strings.ts";
import { SearchIcon, WarningIcon } from "../ui/icons.tsx";
import { MessageView } from "../ui/message_view.tsx";

export function ErrorPage({ error }: { readonly error: unknown }) {
  const router = useRouter();
  return (
    <main>
      <MessageView
        isAlert
        icon={<WarningIcon size={40} />}
        title={t("error.page")}
        hint={errorText(error)}
        action={{ label: t("app.retry"), run: () => void router.invalidate() }}
      />
    </main>
  );
}

export function NotFoundPage() {
  const navigate = useNavigate();
  return (
    <main>
      <MessageView
        icon={<SearchIcon size={40} />}
        title={t("error.notFound")}
        hint={t("error.notFoundHint")}
        action={{ label: t("error.toInbox"), run: () => void navigate({ to: "/inbox" }) }}
      />
    </main>
  );
}
