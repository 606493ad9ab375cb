// Generated from schema/ by `deno task client:types`; a test fails where it is stale.

export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string };
  String: { input: string; output: string };
  Boolean: { input: boolean; output: boolean };
  Int: { input: number; output: number };
  Float: { input: number; output: number };
  /** RFC 3339, UTC */
  DateTime: { input: string; output: string };
};

export type Query = {
  readonly me: User;
  readonly user: Maybe<User>;
  /** search: a part of the address, without regard to case */
  readonly users: UserConnection;
  /** The viewer's own, newest first; at most 100 */
  readonly sessions: ReadonlyArray<OpenSession>;
  /** What discovery knows */
  readonly services: ReadonlyArray<Service>;
  /** How sending goes */
  readonly transactions: Transactions;
  /** How this graph has changed since the gateway started, the newest first; at most 500 */
  readonly schemaChanges: ReadonlyArray<SchemaChange>;
  /** A mail that the viewer has sent */
  readonly email: Maybe<Email>;
  /** The nodes that send mails, and how much each of them does */
  readonly mailNodes: ReadonlyArray<MailNode>;
  /** By one of them; null for one that the viewer doesn't see */
  readonly topic: Maybe<Topic>;
  /** Newest first; mine: true for those that the viewer created; search: a part of the name, without regard to case */
  readonly topics: TopicConnection;
  /** The viewer's inbox, newest first; here `after` goes toward older ones */
  readonly notifications: NotificationConnection;
  /** For those who received it, and for its sender; null for others */
  readonly notification: Maybe<Notification>;
  /** What the viewer sent, newest first; here `after` goes toward older ones */
  readonly sentNotifications: NotificationConnection;
  readonly unseenCount: Scalars["Int"]["output"];
  /** Where the feed is now: what comes from here on comes behind this cursor, also to who has received nothing yet */
  readonly feedCursor: Maybe<Scalars["String"]["output"]>;
  /** Topics that the viewer gets mails of, newest first */
  readonly mailPreferences: TopicConnection;
};

export type QueryUserArgs = {
  id: Scalars["ID"]["input"];
};

export type QueryUsersArgs = {
  first?: InputMaybe<Scalars["Int"]["input"]>;
  after?: InputMaybe<Scalars["String"]["input"]>;
  search?: InputMaybe<Scalars["String"]["input"]>;
};

export type QuerySchemaChangesArgs = {
  first?: InputMaybe<Scalars["Int"]["input"]>;
};

export type QueryEmailArgs = {
  id: Scalars["ID"]["input"];
};

export type QueryTopicArgs = {
  id?: InputMaybe<Scalars["ID"]["input"]>;
  name?: InputMaybe<Scalars["String"]["input"]>;
};

export type QueryTopicsArgs = {
  first?: InputMaybe<Scalars["Int"]["input"]>;
  after?: InputMaybe<Scalars["String"]["input"]>;
  subscribed?: InputMaybe<Scalars["Boolean"]["input"]>;
  mine?: InputMaybe<Scalars["Boolean"]["input"]>;
  search?: InputMaybe<Scalars["String"]["input"]>;
};

export type QueryNotificationsArgs = {
  topicId?: InputMaybe<Scalars["ID"]["input"]>;
  fromUserId?: InputMaybe<Scalars["ID"]["input"]>;
  status?: InputMaybe<NotificationStatus>;
  first?: InputMaybe<Scalars["Int"]["input"]>;
  after?: InputMaybe<Scalars["String"]["input"]>;
};

export type QueryNotificationArgs = {
  id: Scalars["ID"]["input"];
};

export type QuerySentNotificationsArgs = {
  topicId?: InputMaybe<Scalars["ID"]["input"]>;
  first?: InputMaybe<Scalars["Int"]["input"]>;
  after?: InputMaybe<Scalars["String"]["input"]>;
};

export type QueryUnseenCountArgs = {
  topicId?: InputMaybe<Scalars["ID"]["input"]>;
};

export type QueryMailPreferencesArgs = {
  first?: InputMaybe<Scalars["Int"]["input"]>;
  after?: InputMaybe<Scalars["String"]["input"]>;
};

export type Mutation = {
  /** Passwords take 8 to 128 characters. Signs in as well. */
  readonly register: Session;
  readonly login: Session;
  /** Ends the session that asks. */
  readonly logout: Scalars["Boolean"]["output"];
  /** Ends one of the viewer's sessions: its requests and sockets are over at once. False if it had ended before. */
  readonly endSession: Scalars["Boolean"]["output"];
  /** Ends all of the viewer's sessions but the one that asks; how many. */
  readonly endOtherSessions: Scalars["Int"]["output"];
  /**
   * Has another link sent by which the viewer confirms their address; the one before ends. True, and no mail, where there is nothing to
   * confirm. Register sends the first one, if the system asks for it.
   */
  readonly requestAddressConfirmation: Scalars["Boolean"]["output"];
  /** With the token of that link, which works once, within two days; it takes no session. */
  readonly confirmAddress: Scalars["Boolean"]["output"];
  /** Has a link to choose a new password sent to this address, if someone has registered with it. The answer is the same if nobody has. */
  readonly requestPasswordReset: Scalars["Boolean"]["output"];
  /** With the token of that link, which works once, within an hour. Ends all sessions of the user, who signs in with the new password. */
  readonly resetPassword: Scalars["Boolean"]["output"];
  /** By the topic's creator only. An empty `to` is every subscriber; at most 1,000 ids. The same idempotencyKey within a day gives the first one's notification. */
  readonly sendNotification: Notification;
  /** Answers when the mail is durable; `email` and `emailUpdated` say what becomes of it. */
  readonly sendEmail: Email;
  /** A name has 1 to 100 characters, and is taken without regard to case; retentionDays: 1 to 3,650. */
  readonly createTopic: Topic;
  /** By its creator only. What isn't given stays. One that becomes INVITE keeps its subscribers. */
  readonly updateTopic: Topic;
  /** By its creator only */
  readonly setTopicStatus: Topic;
  /** By its creator only. It is gone for everybody at once, and its name is free. */
  readonly deleteTopic: Scalars["Boolean"]["output"];
  /** By its creator only: these users see the topic and may subscribe to it. Again and again is fine; at most 1,000 */
  readonly inviteToTopic: Topic;
  /** By its creator only: ends a subscription, and withdraws the invitation. To a PUBLIC topic the user may subscribe again. */
  readonly removeSubscriber: Topic;
  readonly subscribeToTopic: Topic;
  /** What was received before stays */
  readonly unsubscribeFromTopic: Topic;
  /** Again and again is fine; at most 1,000 */
  readonly acknowledgeNotifications: ReadonlyArray<Notification>;
  /** Up to and including the notification of that cursor, in one topic or in all; how many became SEEN */
  readonly acknowledgeAll: Scalars["Int"]["output"];
  /** By its sender only: it goes out of inboxes and counts */
  readonly retractNotification: Scalars["Boolean"]["output"];
  /**
   * What the viewer gets of a topic by mail, from now on; NEVER also takes back what waits. `every` is of DIGEST, `afterMinutes` (0 to
   * 10,080) of WHEN_AWAY. Each mail has a link that sets it to NEVER.
   */
  readonly setMailPreference: Topic;
};

export type MutationRegisterArgs = {
  email: Scalars["String"]["input"];
  password: Scalars["String"]["input"];
};

export type MutationLoginArgs = {
  email: Scalars["String"]["input"];
  password: Scalars["String"]["input"];
};

export type MutationEndSessionArgs = {
  id: Scalars["ID"]["input"];
};

export type MutationConfirmAddressArgs = {
  token: Scalars["String"]["input"];
};

export type MutationRequestPasswordResetArgs = {
  email: Scalars["String"]["input"];
};

export type MutationResetPasswordArgs = {
  token: Scalars["String"]["input"];
  password: Scalars["String"]["input"];
};

export type MutationSendNotificationArgs = {
  topicId: Scalars["ID"]["input"];
  message: Scalars["String"]["input"];
  to?: InputMaybe<ReadonlyArray<Scalars["ID"]["input"]>>;
  idempotencyKey?: InputMaybe<Scalars["String"]["input"]>;
};

export type MutationSendEmailArgs = {
  to: Scalars["String"]["input"];
  subject: Scalars["String"]["input"];
  message: Scalars["String"]["input"];
};

export type MutationCreateTopicArgs = {
  name: Scalars["String"]["input"];
  retentionDays?: InputMaybe<Scalars["Int"]["input"]>;
  visibility?: InputMaybe<TopicVisibility>;
};

export type MutationUpdateTopicArgs = {
  topicId: Scalars["ID"]["input"];
  name?: InputMaybe<Scalars["String"]["input"]>;
  retentionDays?: InputMaybe<Scalars["Int"]["input"]>;
  visibility?: InputMaybe<TopicVisibility>;
};

export type MutationSetTopicStatusArgs = {
  topicId: Scalars["ID"]["input"];
  status: TopicStatus;
};

export type MutationDeleteTopicArgs = {
  topicId: Scalars["ID"]["input"];
};

export type MutationInviteToTopicArgs = {
  topicId: Scalars["ID"]["input"];
  userIds: ReadonlyArray<Scalars["ID"]["input"]>;
};

export type MutationRemoveSubscriberArgs = {
  topicId: Scalars["ID"]["input"];
  userId: Scalars["ID"]["input"];
};

export type MutationSubscribeToTopicArgs = {
  topicId: Scalars["ID"]["input"];
};

export type MutationUnsubscribeFromTopicArgs = {
  topicId: Scalars["ID"]["input"];
};

export type MutationAcknowledgeNotificationsArgs = {
  ids: ReadonlyArray<Scalars["ID"]["input"]>;
};

export type MutationAcknowledgeAllArgs = {
  topicId?: InputMaybe<Scalars["ID"]["input"]>;
  upTo?: InputMaybe<Scalars["String"]["input"]>;
};

export type MutationRetractNotificationArgs = {
  id: Scalars["ID"]["input"];
};

export type MutationSetMailPreferenceArgs = {
  topicId: Scalars["ID"]["input"];
  preference: MailPreference;
  every?: InputMaybe<DigestEvery>;
  afterMinutes?: InputMaybe<Scalars["Int"]["input"]>;
};

/** What auth and counter know of a user joins by the id. */
export type User = {
  readonly id: Scalars["ID"]["output"];
  /** Never changes, like createdAt */
  readonly email: Maybe<Scalars["String"]["output"]>;
  readonly createdAt: Maybe<Scalars["DateTime"]["output"]>;
  /** Whether mails are sent to the viewer's address and in their name: it is confirmed, or need not be; null for other users */
  readonly addressConfirmed: Maybe<Scalars["Boolean"]["output"]>;
  /** A picture for everyone, at the same URL for ever; size: 16 to 512 pixels, wide and high */
  readonly avatarUrl: Maybe<Scalars["String"]["output"]>;
  /** How many notifications this user has sent */
  readonly sentCount: Maybe<Scalars["Int"]["output"]>;
};

/** What auth and counter know of a user joins by the id. */
export type UserAvatarUrlArgs = {
  size?: InputMaybe<Scalars["Int"]["input"]>;
  style?: InputMaybe<AvatarStyle>;
};

export type Session = {
  /** Goes in `Authorization: Bearer TOKEN`; it is shown only here. */
  readonly token: Scalars["String"]["output"];
  readonly expiresAt: Scalars["DateTime"]["output"];
  readonly user: User;
};

/** One that somebody is signed in by. Its token is known to them alone. */
export type OpenSession = {
  readonly id: Scalars["ID"]["output"];
  readonly startedAt: Scalars["DateTime"]["output"];
  readonly expiresAt: Scalars["DateTime"]["output"];
  /** Whether it is the one that asks */
  readonly current: Scalars["Boolean"]["output"];
};

/** In the order in which they registered. */
export type UserConnection = {
  readonly edges: ReadonlyArray<UserEdge>;
  readonly pageInfo: PageInfo;
};

export type UserEdge = {
  readonly node: User;
  readonly cursor: Scalars["String"]["output"];
};

export type PageInfo = {
  readonly hasNextPage: Scalars["Boolean"]["output"];
  readonly endCursor: Maybe<Scalars["String"]["output"]>;
};

/** What a picture is drawn from: a hash of the user's id, and for INITIALS the letters that their address begins with */
export type AvatarStyle =
  /** Five by five cells, mirrored */
  | "GITHUB"
  /** Shapes that look the same from four sides */
  | "IDENTICON"
  /** One or two letters */
  | "INITIALS";

export type Topic = {
  readonly id: Scalars["ID"]["output"];
  readonly name: Maybe<Scalars["String"]["output"]>;
  readonly status: Maybe<TopicStatus>;
  readonly visibility: Maybe<TopicVisibility>;
  /** How long its notifications are kept */
  readonly retentionDays: Maybe<Scalars["Int"]["output"]>;
  readonly createdBy: Maybe<User>;
  readonly createdAt: Maybe<Scalars["DateTime"]["output"]>;
  /** Whether the viewer is a subscriber now */
  readonly subscribed: Maybe<Scalars["Boolean"]["output"]>;
  readonly subscriberCount: Maybe<Scalars["Int"]["output"]>;
  /** The present ones, for the topic's creator; null for others */
  readonly subscribers: Maybe<UserConnection>;
  /** The viewer's own; null only where it can't be read just now */
  readonly mailPreference: Maybe<TopicMailPreference>;
};

export type TopicSubscribersArgs = {
  first?: InputMaybe<Scalars["Int"]["input"]>;
  after?: InputMaybe<Scalars["String"]["input"]>;
};

/** The viewer's own: SEEN once acknowledged */
export type NotificationStatus =
  | "SENT"
  | "SEEN";

export type Notification = {
  readonly id: Scalars["ID"]["output"];
  readonly topic: Topic;
  readonly from: User;
  readonly message: Scalars["String"]["output"];
  readonly createdAt: Scalars["DateTime"]["output"];
  /** Where this notification stands in the feed: give it as `after` to go on from here */
  readonly cursor: Maybe<Scalars["String"]["output"]>;
  readonly status: NotificationStatus;
  /** How many received it; for its sender */
  readonly recipientCount: Maybe<Scalars["Int"]["output"]>;
  /** How many have acknowledged it; for its sender */
  readonly seenCount: Maybe<Scalars["Int"]["output"]>;
  /** Who has, in the order of their ids; null for all but its sender. At most 50 notifications of a request are asked for it. */
  readonly seenBy: Maybe<ReceiptConnection>;
};

export type NotificationSeenByArgs = {
  first?: InputMaybe<Scalars["Int"]["input"]>;
  after?: InputMaybe<Scalars["String"]["input"]>;
};

/** Of one notification, or with `upTo` of all in the topic up to that cursor */
export type Acknowledgement = {
  /** Where it stands in the feed: give it as `after` to go on from here */
  readonly cursor: Scalars["String"]["output"];
  readonly by: User;
  readonly at: Scalars["DateTime"]["output"];
  readonly notification: Maybe<Notification>;
  readonly upTo: Maybe<Scalars["String"]["output"]>;
};

export type Service = {
  readonly name: Scalars["String"]["output"];
  readonly instances: ReadonlyArray<ServiceInstance>;
  /** Whether it has types in this graph */
  readonly inGraph: Scalars["Boolean"]["output"];
  /** Why the types that it has now are not in this graph; empty where they are */
  readonly conflicts: ReadonlyArray<Scalars["String"]["output"]>;
};

/** DOWN: it gave the gateway that was asked no answer, and then no sign of life */
export type InstanceHealth =
  | "UP"
  | "DOWN";

/** Of the gateway that was asked. OPEN: it asks this instance nothing; HALF_OPEN: it lets one call through */
export type BreakerState =
  | "CLOSED"
  | "HALF_OPEN"
  | "OPEN";

/** Calls and times are those of the gateway that answers. */
export type ServiceInstance = {
  readonly id: Scalars["ID"]["output"];
  readonly url: Scalars["String"]["output"];
  readonly startedAt: Scalars["DateTime"]["output"];
  readonly lastHeartbeatAt: Scalars["DateTime"]["output"];
  /** Of its code */
  readonly version: Maybe<Scalars["String"]["output"]>;
  /** Instances with the same one have the same types. */
  readonly schemaHash: Maybe<Scalars["String"]["output"]>;
  readonly calls: Scalars["Int"]["output"];
  /** Calls without an answer */
  readonly errors: Scalars["Int"]["output"];
  readonly health: InstanceHealth;
  readonly breaker: BreakerState;
  /** Within the last minute half of the calls took no longer, in milliseconds */
  readonly p50Ms: Maybe<Scalars["Float"]["output"]>;
  /** And 99 of 100 */
  readonly p99Ms: Maybe<Scalars["Float"]["output"]>;
};

/** Sends as transactions over the services that take part in them */
export type Transactions = {
  /** Under way at the gateway that answers */
  readonly running: Scalars["Int"]["output"];
  /** Since that gateway started */
  readonly committed: Scalars["Int"]["output"];
  readonly aborted: Scalars["Int"]["output"];
  /** Committed, and not yet confirmed by all who took part: those of all gateways; null where their log can't be read */
  readonly unconfirmed: Maybe<Scalars["Int"]["output"]>;
  /** When the first of these was decided */
  readonly unconfirmedSince: Maybe<Scalars["DateTime"]["output"]>;
  /** That a participant says it can't commit, at the gateway that answers: somebody has to look */
  readonly damaged: Scalars["Int"]["output"];
};

export type SchemaChangeCriticality =
  | "BREAKING"
  | "DANGEROUS"
  | "NON_BREAKING";

export type SchemaChange = {
  readonly at: Scalars["DateTime"]["output"];
  /** Whether it breaks those who use what was there before */
  readonly criticality: SchemaChangeCriticality;
  readonly message: Scalars["String"]["output"];
};

export type Subscription = {
  /** No topicId: every topic that the viewer subscribes to; after: go on behind this cursor */
  readonly notificationReceived: Notification;
  /** For the topic's creator: who has seen what; after: go on behind this cursor */
  readonly notificationAcknowledged: Acknowledgement;
  /** How many the viewer has not seen, of all topics: the present value first, then each change */
  readonly unseenCountChanged: Scalars["Int"]["output"];
  /** The mail as it is now, then each change, up to SENT or FAILED */
  readonly emailUpdated: Email;
};

export type SubscriptionNotificationReceivedArgs = {
  topicId?: InputMaybe<Scalars["ID"]["input"]>;
  after?: InputMaybe<Scalars["String"]["input"]>;
};

export type SubscriptionNotificationAcknowledgedArgs = {
  topicId: Scalars["ID"]["input"];
  after?: InputMaybe<Scalars["String"]["input"]>;
};

export type SubscriptionEmailUpdatedArgs = {
  id: Scalars["ID"]["input"];
};

export type EmailStatus =
  | "QUEUED"
  | "SENDING"
  | "SENT"
  | "FAILED";

export type Email = {
  readonly id: Scalars["ID"]["output"];
  readonly to: Scalars["String"]["output"];
  readonly subject: Scalars["String"]["output"];
  readonly status: EmailStatus;
  /** How many attempts to send it have begun */
  readonly attempts: Scalars["Int"]["output"];
  /** Why the last attempt failed, in the mail server's words */
  readonly error: Maybe<Scalars["String"]["output"]>;
  readonly createdAt: Scalars["DateTime"]["output"];
};

export type MailNode = {
  readonly id: Scalars["ID"]["output"];
  readonly url: Scalars["String"]["output"];
  readonly startedAt: Scalars["DateTime"]["output"];
  readonly lastHeartbeatAt: Scalars["DateTime"]["output"];
  /** Mails that it is sending, and how many it may send at once */
  readonly running: Scalars["Int"]["output"];
  readonly capacity: Scalars["Int"]["output"];
  /** Since it was started */
  readonly sent: Scalars["Int"]["output"];
  readonly failed: Scalars["Int"]["output"];
};

export type TopicStatus =
  | "ACTIVE"
  /** Nobody can send to it. */
  | "INACTIVE";

export type TopicVisibility =
  | "PUBLIC"
  /** Only its creator, the invited and its subscribers see it; to all others it isn't there. */
  | "INVITE";

export type MailPreference =
  | "NEVER"
  /** Those that the user hasn't acknowledged within `afterMinutes` */
  | "WHEN_AWAY"
  /** Each at once */
  | "ALWAYS"
  /** Those that the user hasn't acknowledged by then, in one mail for all topics of which they want a digest */
  | "DIGEST";

export type DigestEvery =
  | "HOUR"
  | "DAY";

/** Whether a user gets a topic's notifications by mail; it counts while they are subscribed. */
export type TopicMailPreference = {
  readonly preference: MailPreference;
  /** Of DIGEST */
  readonly every: DigestEvery;
  /** Of WHEN_AWAY: how long an acknowledgement is waited for */
  readonly afterMinutes: Scalars["Int"]["output"];
};

export type ReceiptEdge = {
  readonly node: User;
  readonly cursor: Scalars["String"]["output"];
  /** When they acknowledged it; null where that isn't known any more */
  readonly at: Maybe<Scalars["DateTime"]["output"]>;
};

export type ReceiptConnection = {
  readonly edges: ReadonlyArray<ReceiptEdge>;
  readonly pageInfo: PageInfo;
};

export type TopicEdge = {
  readonly node: Topic;
  readonly cursor: Scalars["String"]["output"];
};

export type TopicConnection = {
  readonly edges: ReadonlyArray<TopicEdge>;
  readonly pageInfo: PageInfo;
};

export type NotificationEdge = {
  readonly node: Notification;
  readonly cursor: Scalars["String"]["output"];
};

export type NotificationConnection = {
  readonly edges: ReadonlyArray<NotificationEdge>;
  readonly pageInfo: PageInfo;
};
