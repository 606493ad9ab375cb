/**
 * The addresses of the app. What needs a session is under `app`, whose shell has the navigation; each page but the inbox is loaded when
 * it is opened first.
 */

import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { composeSearch } from "./compose/compose_search.ts";
import { InboxPage } from "./inbox/inbox_page.tsx";
import { inboxSearch } from "./inbox/inbox_search.ts";
import { NotificationPage } from "./inbox/notification_page.tsx";
import { sentSearch } from "./sent/sent_search.ts";
import { sessionKnown, viewer } from "./session/session.ts";
import { ErrorPage, NotFoundPage } from "./shell/error_pages.tsx";
import { Shell } from "./shell/shell.tsx";
import { topicsSearch } from "./topics/topics_search.ts";

const root = createRootRoute({
  beforeLoad: sessionKnown,
  component: Outlet,
  errorComponent: ErrorPage,
  notFoundComponent: NotFoundPage,
});

const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  beforeLoad({ location }) {
    if (viewer.get() === undefined) throw redirect({ to: "/sign-in", search: { to: location.href }, replace: true });
  },
  component: Shell,
  errorComponent: ErrorPage,
});

const home = createRoute({
  getParentRoute: () => app,
  path: "/",
  beforeLoad() {
    throw redirect({ to: "/inbox", replace: true });
  },
});

const inbox = createRoute({
  getParentRoute: () => app,
  path: "inbox",
  validateSearch: inboxSearch,
  component: InboxPage,
});

const notification = createRoute({
  getParentRoute: () => inbox,
  path: "$notificationId",
  component: NotificationPage,
});

const topics = createRoute({
  getParentRoute: () => app,
  path: "topics",
  validateSearch: topicsSearch,
  component: lazyRouteComponent(() => import("./topics/topics_page.tsx"), "TopicsPage"),
});

const topic = createRoute({
  getParentRoute: () => app,
  path: "topics/$topicId",
  component: lazyRouteComponent(() => import("./topics/topic_page.tsx"), "TopicPage"),
});

const compose = createRoute({
  getParentRoute: () => app,
  path: "compose",
  validateSearch: composeSearch,
  component: lazyRouteComponent(() => import("./compose/compose_page.tsx"), "ComposePage"),
});

const sent = createRoute({
  getParentRoute: () => app,
  path: "sent",
  validateSearch: sentSearch,
  component: lazyRouteComponent(() => import("./sent/sent_page.tsx"), "SentPage"),
});

const sentNotification = createRoute({
  getParentRoute: () => sent,
  path: "$notificationId",
  component: lazyRouteComponent(() => import("./sent/sent_notification_page.tsx"), "SentNotificationPage"),
});

const system = createRoute({
  getParentRoute: () => app,
  path: "system",
  component: lazyRouteComponent(() => import("./system/system_page.tsx"), "SystemPage"),
});

const settings = createRoute({
  getParentRoute: () => app,
  path: "settings",
  component: lazyRouteComponent(() => import("./settings/settings_page.tsx"), "SettingsPage"),
});

const SIGN_IN = lazyRouteComponent(() => import("./session/sign_in_page.tsx"), "SignInPage");

interface SignInSearch {
  readonly to?: string;
  readonly ended?: boolean;
}

const signInOptions = {
  getParentRoute: () => root,
  validateSearch: ({ to, ended }: Record<string, unknown>): SignInSearch => ({
    ...typeof to === "string" ? { to } : {},
    ...ended === true ? { ended } : {},
  }),
  beforeLoad() {
    if (viewer.get() !== undefined) throw redirect({ to: "/inbox", replace: true });
  },
  component: SIGN_IN,
};
const signIn = createRoute({ ...signInOptions, path: "sign-in" });
const register = createRoute({ ...signInOptions, path: "register" });
const reset = createRoute({
  getParentRoute: () => root,
  path: "forgotten-password",
  component: lazyRouteComponent(() => import("./session/reset_page.tsx"), "ResetPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    app.addChildren([
      home,
      inbox.addChildren([notification]),
      compose,
      sent.addChildren([sentNotification]),
      topics,
      topic,
      system,
      settings,
    ]),
    signIn,
    register,
    reset,
  ]),
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
