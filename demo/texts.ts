/**
 * What is written in the demo: a theme for each kind of topic, its texts as patterns. `{5-40}` in one is a number, `{word}` one of WORDS, which
 * may be a pattern itself.
 */

export interface Theme {
  readonly name: string;
  /** How many of the people subscribe, 0 to 1. */
  readonly share: number;
  readonly isByInvitation?: boolean;
  readonly texts: readonly string[];
}

/** Where there are more topics than themes, the next ones are of a place. */
export const PLACES = ["Berlin", "Lisbon", "Kyoto", "Nairobi", "Toronto", "Aarhus", "São Paulo", "Zürich"];

export const WORDS: Readonly<Record<string, readonly string[]>> = {
  service: ["checkout", "search", "billing", "profile", "image-resizer", "recommendations", "login", "invoices-api"],
  version: ["{1-4}.{0-20}.{0-9}", "2026.{10-12}.{1-28}"],
  commit: ["{100-999}a{10-99}f", "c{1000-9999}e{10-99}", "{10-99}bd{100-999}"],
  change: [
    "faster first page for people with many orders",
    "the retry loop no longer hammers the mail server",
    "dark mode for the settings page 🌙",
    "addresses with umlauts are found again",
    "dependencies up to date",
    "a feature flag for the new basket (off)",
  ],
  region: ["eu-central", "us-east", "ap-northeast", "sa-east"],
  name: ["Elif", "Mateo", "Hana", "Kofi", "Tove", "Priya", "Viktor", "Fatima"],
  company: [
    "Blue Harbour Ltd.",
    "Müller & Söhne GmbH",
    "Café Ångström",
    "O’Brien Logistics",
    "株式会社さくら",
    "Vela S.A.",
  ],
  dish: ["lentil soup", "mushroom risotto", "paneer curry", "shakshuka", "ramen 🍜", "tacos", "pumpkin gnocchi"],
  book: ["The Left Hand of Darkness", "Invisible Cities", "Piranesi", "The Master and Margarita", "Kokoro", "Beloved"],
  team: ["Northside", "the Rovers", "Old Mill", "Harbour United", "the Comets"],
  time: ["{9-11}:{10-55}", "{14-18}:{10-55}"],
  day: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
};

const POST_MORTEM = `Post-mortem of last {day}’s outage of {service} ({region})

What happened. At {time} the error rate of {service} rose from 0.{1-9} % to {18-64} %. For {12-55} minutes about every third request failed; no data was lost.

Why. A migration added an index without CONCURRENTLY and held a lock on the largest table. The pool ran empty, health checks failed, and the balancer took the nodes out one after another until the last one carried everything.

What helped. {name} saw the queue of waiting statements, cancelled the migration, and had all nodes back within four minutes.

What we change:
 1. Migrations run with a lock timeout of two seconds.
 2. The health check no longer asks the database.
 3. An alarm on the pool’s waiting requests, not only on errors.

The whole timeline, with graphs: https://wiki.example.com/post-mortems/2026-{100-365}?section=timeline#graphs. Questions and objections are welcome until {day}.`;

const BOOK_LETTER = `Dear all,

I have just finished “{book}” and can’t wait until {day} to talk about it, so here is a beginning. What struck me most is how little is explained: we learn the rules of that world as its people do, by bumping into them. On my second reading I marked each place where the narrator knows less than we do, and there are {14-48} of them.

Three questions to bring along: Whom do you believe? Where did you first notice that something is wrong? And would you have stayed?

{name} brings cake, I bring tea. If you are late, the bell says “Lindqvist”. 📚☕

Until then, and no spoilers in this thread, please!`;

export const THEMES: readonly Theme[] = [
  {
    name: "Deploys",
    share: 0.8,
    texts: [
      "🚀 {service} {version} is out in {region}: {change}.",
      "{service} {version} is out. https://git.example.com/{service}/compare/{commit}...{commit}",
      "{service} {version} was rolled back in {region} after {2-9} minutes: {3-14} % errors on POST /orders.",
      "Deploys are frozen from {day} {time} on; hotfixes need a second pair of eyes.",
      "{name} deploys {service} {version} to staging now; expect a short blip.",
    ],
  },
  {
    name: "Incidents",
    share: 0.7,
    texts: [
      "🔴 {service} in {region} answers slowly: p99 is {2-9}.{1-9} s. {name} is looking.",
      "🟡 {service}: error rate back below 1 %, watching for another {10-30} minutes.",
      "🟢 Resolved: {service} is well since {time}. Status: https://status.example.com/incidents/{1000-9999}",
      "Disk of db-{1-6}.{region} is {81-97} % full; at this pace it lasts {3-20} hours.",
      POST_MORTEM,
    ],
  },
  {
    name: "Invoices",
    share: 0.5,
    texts: [
      "{company} has paid invoice 2026-{1000-9999}: € {1-48},{100-999}.{10-99}. 🎉",
      "Invoice 2026-{1000-9999} to {company} is {8-40} days overdue (€ {200-980}.{10-99}). {name}, would you call them?",
      "New invoice from {company}: https://books.example.com/in/{10000-99999} (due on {day}).",
      "Month’s end: {12-40} invoices are open, {2-9} of them overdue. Total € {20-90},{100-999}.{10-99}.",
    ],
  },
  {
    name: "Lunch",
    share: 0.9,
    texts: [
      "Today: {dish}, or {dish}. Until {time} in the kitchen.",
      "There is {dish} left, {2-6} portions. First come, first served! 😋",
      "Who joins for {dish} at the market at 12:{10-45}?",
      "The coffee machine is being descaled until {time}. ☕🙏",
    ],
  },
  {
    name: "Book club",
    share: 0.4,
    texts: [
      "Next: “{book}”. We meet on {day} at {time} at {name}’s.",
      "Vote until {day}: “{book}” or “{book}”? https://poll.example.com/books/{100-999}",
      "Chapter {2-14} of “{book}” – wow. Just wow. 😮",
      BOOK_LETTER,
    ],
  },
  {
    name: "Five-a-side ⚽",
    share: 0.5,
    texts: [
      "⚽ {1-5}:{0-4} against {team}! {name} scored {1-3}.",
      "We are {4-9} for {day} {time}; {1-4} more would be good. Bring a light shirt and a dark one.",
      "The pitch is frozen ❄️: training is in the hall on {day}.",
      "Table: {team} {20-31}, us {14-19}, {team} {4-12}.",
    ],
  },
  {
    name: "社内サッカー部・お知らせ",
    share: 0.4,
    texts: [
      "今週の練習は{time}からです。雨の場合は体育館に集合してください。☔",
      "土曜日の試合は{1-5}対{0-4}で勝ちました!お疲れさまでした🎉",
      "新しいユニフォームの写真をアップしました:https://photos.example.com/albums/{1000-9999}(部員のみ)",
      "打ち上げは駅前の居酒屋「さくら」で{18-20}時から。参加できる方は金曜日までに返信をお願いします。",
    ],
  },
  {
    name: "مكتبة الحي",
    share: 0.4,
    texts: [
      "وصلت اليوم {3-30} كتابًا جديدًا، وهي على الرف الأول قرب المدخل. 📚",
      "تُفتح المكتبة يوم السبت من الساعة {9-10} صباحًا حتى {3-6} مساءً.",
      "لقاء القرّاء القادم عن رواية «موسم الهجرة إلى الشمال»، والتفاصيل هنا: https://library.example.com/ar/events/{100-999}",
      "نرجو إعادة الكتب المستعارة قبل نهاية الأسبوع. شكرًا لكم! (version {version})",
    ],
  },
  {
    name: "ועד הבית",
    share: 0.3,
    texts: [
      "המעלית לא תפעל מחר בין {8-10}:00 ל-{11-13}:00 בגלל תחזוקה.",
      "אסיפת דיירים ביום שלישי ב-{18-20}:30 בלובי. סדר היום: https://house.example.com/agenda/{10-99}",
      "החניה בחצר תהיה סגורה ביום {1-28} בחודש לצורך צביעה.",
      "תודה לכל מי שעזר בגינה! 🌻 נשתלו {5-20} צמחים חדשים.",
    ],
  },
  {
    name: "读书会",
    share: 0.3,
    texts: [
      "本周{2-9}页到{40-90}页,周四晚上{7-8}点线上讨论。",
      "谁有《{100-999}种茶》这本书可以借我?谢谢🙏",
      "推荐一篇文章:https://reading.example.com/zh/{1000-9999}。大家怎么看?🤔",
      "下个月读《红楼梦》第{1-40}回,请提前准备一个问题。",
    ],
  },
  {
    name: "Neighbours",
    share: 0.5,
    texts: [
      "A grey cat with a red collar has been sitting at no. {2-60} since yesterday. Is she yours? 🐈",
      "Water is off on {day} from {time} for {1-3} hours.",
      "I have {2-9} kg of apples 🍎 to give away; they hang at the gate of no. {2-60}.",
      "Whoever borrowed the long ladder: {name} needs it on {day}. Thanks!",
    ],
  },
  {
    name: "On-call ⟂ platform",
    share: 0.3,
    isByInvitation: true,
    texts: [
      "{name} hands over to {name}: {0-4} pages this week, all of them {service}.",
      "📟 Test page at {time}. No answer needed.",
      "Runbook for {service} is rewritten: https://wiki.example.com/runbooks/{service}_(new)",
      "Can somebody swap {day} night with me? Concert tickets 🎻",
    ],
  },
];
