/** Answers as Docker's own name server does: a service's name has the address of each of its containers. */

import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";

const HEADER_BYTES = 12;
const TYPE_A = 1;

export class NameServer implements AsyncDisposable {
  /** `udp/HOST:PORT` */
  private constructor(readonly address: string, private readonly socket: Socket) {}

  /** On a free port of `host`. */
  static async start(host: string, addressesOf: (name: string) => readonly string[]): Promise<NameServer> {
    const socket = createSocket("udp4");
    socket.on("message", (query, { address, port }) => socket.send(answer(query, addressesOf), port, address));
    await new Promise<void>((resolve) => socket.bind(0, host, resolve));
    return new NameServer(`udp/${host}:${socket.address().port}`, socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }
}

/** The query with its answers behind it (RFC 1035, section 4). */
function answer(query: Buffer, addressesOf: (name: string) => readonly string[]): Buffer {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1);
  const question = query.subarray(HEADER_BYTES, at + 5);
  const addresses = type === TYPE_A ? addressesOf(labels.join(".")) : [];
  const header = Buffer.from(query.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(0x8180, 2); // an answer, by a server that asks on
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt32BE(0, 8); // no further sections
  const records = addresses.map((address) => {
    const record = Buffer.alloc(16);
    record.writeUInt16BE(0xc000 | HEADER_BYTES, 0); // the name of the question
    record.writeUInt16BE(TYPE_A, 2);
    record.writeUInt16BE(1, 4); // of the Internet
    record.writeUInt32BE(1, 6); // seconds
    record.writeUInt16BE(4, 10);
    Buffer.from(address.split(".").map(Number)).copy(record, 12);
    return record;
  });
  return Buffer.concat([header, question, ...records]);
}
