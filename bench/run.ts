/** `deno task bench [NAME …] [--quick] [--senders=N,N] [--only=NAME,NAME] [--traced]`: the benchmarks, each a table that ends in ratios against a peer measured in the same run. */

const BENCHES: Record<string, string> = {
  fanout:
    "one event to 1,000 sockets, beside stock graphql-yoga with graphql-ws, a bare ws server and, where installed, nats-server",
  connections:
    "10,000 subscribed sockets on one gateway: memory, sign-up, one notification to all, idle; and 1,000 groups",
  two_phase: "sendNotification through the gateway, beside a program with no network that does the same SQL",
  gateway: "queries through the gateway, beside Hive Gateway and stock graphql-yoga with @graphql-tools/stitch",
  avatar: "pictures of 128 pixels: drawn, beside jdenticon and identicon.js on Node; kept, beside a bare Deno.serve",
  inbox:
    "the first page, unseenCount and a send at 1,000 notifications and 10 subscribers, and at 1,000,000 and 100,000",
  mail: "mails through the queue to a local SMTP sink, beside nodemailer's own pool with no queue",
};

const names = Deno.args.filter((argument) => !argument.startsWith("-"));
const options = Deno.args.filter((argument) => argument.startsWith("-"));
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0 || options.includes("--help")) {
  if (unknown.length > 0) console.error(`there is no benchmark ${unknown.join(", ")}`);
  console.log("deno task bench [NAME …] [--quick] [--senders=N,N] [--only=NAME,NAME] [--traced]\n");
  for (const [name, what] of Object.entries(BENCHES)) console.log(`  ${name.padEnd(12)}${what}`);
  Deno.exit(unknown.length > 0 ? 2 : 0);
}

for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  console.log(`\n${name}: ${BENCHES[name]}`);
  const { status } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-all", new URL(`./${name}/main.ts`, import.meta.url).pathname, ...options],
  }).spawn();
  const { code } = await status;
  if (code !== 0) Deno.exit(code);
}
