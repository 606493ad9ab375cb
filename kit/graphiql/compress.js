// Runs in a worker that ends when it has answered: npm's module is 9 MB of strings, which would stay in memory as 40.
import * as graphiql from "@graphql-yoga/render-graphiql/graphiql";

const compressed = {};
for (const name of ["js", "css", "editorWorkerService", "jsonWorker", "graphqlWorker"]) {
  const stream = new Blob([graphiql[name]]).stream().pipeThrough(new CompressionStream("gzip"));
  compressed[name] = new Uint8Array(await new Response(stream).arrayBuffer());
}
postMessage(compressed, Object.values(compressed).map((bytes) => bytes.buffer));
