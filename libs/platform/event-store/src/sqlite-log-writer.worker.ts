import { BroadcastChannel, parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { HighWaterMark } from './high-water-mark.ts';
import { openLogToWrite } from './sqlite-log-file.ts';
import { SqliteLogWriter, type WriteAnswer, type WriteRequest } from './sqlite-log-writer.ts';
import { bellName } from './sqlite-log-bell.ts';

/** Text that one transaction takes before it is committed, so a flood neither delays the first nor fills the memory. */
const TRANSACTION_CHARS = 8_000_000;

export interface WriterWorkerData {
  readonly directory: string;
  readonly maxBytes: number | undefined;
}
export type ToWriter = { readonly kind: 'write'; readonly requests: readonly WriteRequest[] } | { readonly kind: 'close' };
/** Answers come in the order of the requests. */
export type FromWriter = { readonly kind: 'ready' } | { readonly kind: 'answers'; readonly answers: readonly WriteAnswer[] };

const port = parentPort as MessagePort;
const { directory, maxBytes } = workerData as WriterWorkerData;
const { db, identity } = openLogToWrite(directory, maxBytes);
const writer = new SqliteLogWriter(db);
const mark = new HighWaterMark(directory, identity);
const bell = new BroadcastChannel(bellName(identity));

port.on('message', (first: ToWriter) => {
  let message: ToWriter | undefined = first;
  while (message?.kind === 'write') {
    const requests = [...message.requests];
    let chars = charsOf(message.requests);
    message = next();
    while (message?.kind === 'write' && chars < TRANSACTION_CHARS) {
      requests.push(...message.requests);
      chars += charsOf(message.requests);
      message = next();
    }
    write(requests);
  }
  if (message?.kind === 'close') close();
});
answer({ kind: 'ready' });

function write(requests: readonly WriteRequest[]): void {
  const before = writer.head;
  const answers = writer.write(requests);
  const moved = writer.head > before;
  if (moved) mark.raise(writer.head);
  answer({ kind: 'answers', answers });
  if (moved) bell.postMessage(writer.head);
}

function close(): void {
  db.close();
  mark.close();
  bell.close();
  port.close();
}

function next(): ToWriter | undefined {
  return (receiveMessageOnPort(port) as { message: ToWriter } | undefined)?.message;
}

function answer(message: FromWriter): void {
  port.postMessage(message);
}

/** Of what is packed, so much is left to be written. */
function charsOf(requests: readonly WriteRequest[]): number {
  let chars = 0;
  for (const request of requests) for (const { text } of request) chars += typeof text === 'string' ? text.length : text.payload.length;
  return chars;
}
