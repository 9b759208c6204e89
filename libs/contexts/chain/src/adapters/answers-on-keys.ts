import type { AnswerClass } from '#contracts/key-pool';
import { ChainfoldError } from '#platform/kernel';
import { NodeAnswerInvalid, NodeRefused } from '../ports/chain-node.errors.ts';
import { redactedStart } from './chain-node-labels.ts';
import { meaningOf, type Refusal } from './chain-node-refusals.ts';
import type { RpcAnswer } from './chain-node-transport.ts';
import type { Said } from './permit-settling.ts';

const LONGEST_WORDS = 200;
const GRAVITY: readonly AnswerClass[] = ['revoked', 'exhausted', 'throttled', 'down', 'other'];

/** What the answers of one request mean for the key that they came on: of several refusals the one that says most. */
export function seenIn(answers: readonly (RpcAnswer | undefined)[], url: string): { readonly seen: AnswerClass; readonly said: Said } {
  const refusals = answers.flatMap((answer) => (answer?.ok === false ? [answer.refusal] : []));
  const [worst] = refusals.toSorted((one, other) => GRAVITY.indexOf(classOf(one)) - GRAVITY.indexOf(classOf(other)));
  if (worst === undefined) return { seen: 'ok', said: {} };
  const seen = classOf(worst);
  if (seen === 'other') return { seen, said: {} };
  return { seen, said: { message: redactedStart(worst.text, url, LONGEST_WORDS), ...(worst.waitMs === undefined ? {} : { waitMs: worst.waitMs }) } };
}

/** The same of a request that ended with an error; undefined where nobody can say whether it was counted. */
export function seenInError(error: unknown): { readonly seen: AnswerClass; readonly said: Said } | undefined {
  // An answer that is none was an answer all the same.
  if (error instanceof NodeAnswerInvalid) return { seen: 'down', said: {} };
  if (!(error instanceof NodeRefused)) return undefined;
  const { message } = error.facts;
  return { seen: classFor(error.meaning), said: { ...(typeof message === 'string' ? { message } : {}), ...(error.waitMs === undefined ? {} : { waitMs: error.waitMs }) } };
}

/** Another key may be answered what this one is refused. */
export function isOfTheKey(answer: RpcAnswer | undefined): boolean {
  return answer?.ok === false && classOf(answer.refusal) !== 'other';
}

export function isRevoked(answer: RpcAnswer | undefined): boolean {
  return answer?.ok === false && classOf(answer.refusal) === 'revoked';
}

export function withoutSecrets(answer: RpcAnswer | undefined, url: string): RpcAnswer | undefined {
  return answer?.ok === false ? { ok: false, refusal: { ...answer.refusal, text: redactedStart(answer.refusal.text, url, 1_000) } } : answer;
}

/** Stands for the calls that nobody answered beside some that somebody did: those are paid for and kept. Undefined where the error is no trouble of nodes. */
export function inPlaceOf(error: unknown): RpcAnswer | undefined {
  if (!(error instanceof ChainfoldError) || !/^node-/.test(error.code)) return undefined;
  const { facts } = error;
  const text = typeof facts['message'] === 'string' ? facts['message'] : error.message;
  const unread = { status: undefined, code: undefined, text };
  if (error instanceof NodeRefused) return { ok: false, refusal: { ...unread, meaning: error.meaning, waitMs: error.waitMs } };
  return { ok: false, refusal: { ...unread, meaning: facts['what'] === 'too large' ? 'split' : 'down', waitMs: undefined } };
}

function classOf(refusal: Refusal): AnswerClass {
  return classFor(meaningOf(refusal));
}

function classFor(meaning: ReturnType<typeof meaningOf>): AnswerClass {
  return meaning === 'throttled' || meaning === 'exhausted' || meaning === 'revoked' || meaning === 'down' ? meaning : 'other';
}
