import type { ChainfoldError, JsonObject } from '#platform/kernel';
import type { RefusalMeaning } from '../ports/chain-node.errors.ts';
import { HistoryPruned, MethodUnsupported, NodeRefused } from '../ports/chain-node.errors.ts';
import { redactedStart } from './chain-node-labels.ts';

/** A refusal as it arrived: an HTTP status, an error object of JSON-RPC, or a text that is neither. */
export interface Refusal {
  readonly status: number | undefined;
  readonly code: number | undefined;
  readonly text: string;
  /** In milliseconds: the longest wait that headers and body ask for. */
  readonly waitMs: number | undefined;
  /** Where it was understood before. */
  readonly meaning?: RefusalMeaning;
}

const RULES: readonly { readonly meaning: RefusalMeaning; readonly when: (refusal: Refusal) => boolean }[] = [
  { meaning: 'pruned', when: (r) => r.code === 4444 || PRUNED.test(r.text) },
  { meaning: 'exhausted', when: (r) => r.status === 402 || r.code === 402 || EXHAUSTED.test(r.text) },
  { meaning: 'revoked', when: (r) => r.status === 401 || REVOKED.test(r.text) },
  { meaning: 'absent', when: (r) => r.code === -39001 || NO_TAG.test(r.text) },
  { meaning: 'split', when: (r) => r.status === 413 || r.code === -32003 || r.code === -32008 || SPLIT.test(r.text) },
  { meaning: 'unsupported', when: (r) => r.code === -32601 || r.code === -32004 || (r.code === -32005 && /^limit exceeded$/i.test(r.text)) },
  { meaning: 'throttled', when: (r) => r.status === 429 || (r.code !== undefined && THROTTLE_CODES.has(r.code)) || THROTTLED.test(r.text) },
  { meaning: 'revoked', when: (r) => r.status === 403 },
  { meaning: 'lagging', when: (r) => r.code === -32001 || LAGGING.test(r.text) },
  { meaning: 'refused', when: (r) => REVERTED.test(r.text) },
  { meaning: 'down', when: (r) => (r.status !== undefined && (r.status >= 500 || r.status === 408)) || r.code === -32603 || r.code === -32002 || DOWN.test(r.text) },
];

const PRUNED = /pruned|history (?:has been|is not|not) available|missing trie node|state .* is not available|block .{0,40}(?:is|was) not available .*history|historical (?:block|data) .*unavailable/i;
const EXHAUSTED = /\bdaily\b|\bmonthly\b|capacity limit|payment required|credit limit|exceeded the quota|quota (?:exceeded|exhausted|reached)|out of credits/i;
const REVOKED = /unauthori[sz]ed|must be authenticated|invalid (?:api|project) ?key|api key is not|invalid token|authenticate your request|project id (?:is )?(?:invalid|required)/i;
const NO_TAG = /(?:safe|finali[sz]ed) block (?:was )?(?:not found|not available|is unknown)|unknown (?:safe|finali[sz]ed)|(?:safe|finali[sz]ed) (?:tag|block) (?:is )?not supported/i;
const SPLIT =
  /too large|too big|batch (?:limit|size|too)|batch of .* exceed|max(?:imum)? batch|block range(?! extends| params)|returned more than|response size (?:is )?(?:exceed|too)|exceeds max|exceed maximum block|limited to a [\d,]+ range|range \d+ exceeds|max range|maximum allowed number|contains \d+ filters|exceed max addresses|number of requests in batch/i;
const THROTTLED = /too many requests|rate.?limit|request rate|requests? per second|\d+\/second|over rate|throughput|compute units|concurrent requests|slow down|(?:request|rps|qps) limit|try again in \d/i;
const THROTTLE_CODES: ReadonlySet<number> = new Set([429, -32005, -32007, -32012, -32016, -32029, -32055]);
const LAGGING = /not processed yet|beyond (?:the )?current head|header not found|block not found|unknown block|invalid block range params|could not find block|block .{0,30}does not exist|no block with|requested block .{0,30}(?:future|not yet)|blockoutofrange|block number out of range|resource not found|receipts? not (?:found|available yet)/i;
const REVERTED = /execution reverted/i;
const DOWN = /unavailable|internal error|internal server error|bad gateway|gateway time-?out|timed? ?out|overloaded|connection (?:refused|reset)|syncing/i;

export function meaningOf(refusal: Refusal): RefusalMeaning {
  return refusal.meaning ?? RULES.find((rule) => rule.when(refusal))?.meaning ?? 'refused';
}

/** Reads an error object of JSON-RPC, or whatever stands in its place. */
export function readRefusal(body: unknown, status?: number, retryAfter?: string): Refusal {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  const error = isObject(first) && first['error'] !== undefined ? first['error'] : first;
  const code = isObject(error) && typeof error['code'] === 'number' ? error['code'] : undefined;
  return { status: status === 200 ? undefined : status, code, text: textOf(error).slice(0, 1000), waitMs: waitOf(error, retryAfter) };
}

/** The error to throw. Never holds the address of the node or a key. */
export function refusalError(refusal: Refusal, method: string, label: string, url: string): ChainfoldError {
  const meaning = meaningOf(refusal);
  const facts: JsonObject = {
    method,
    ...(refusal.status === undefined ? {} : { status: refusal.status }),
    ...(refusal.code === undefined ? {} : { code: refusal.code }),
    message: redactedStart(refusal.text, url, 300) || `HTTP ${refusal.status ?? 200} without a word of why`,
  };
  if (meaning === 'unsupported') return new MethodUnsupported(label, method);
  if (meaning === 'pruned') return new HistoryPruned(label, facts);
  return new NodeRefused(label, meaning, facts, refusal.waitMs);
}

function textOf(error: unknown): string {
  if (typeof error === 'string') return error;
  if (!isObject(error)) return '';
  const parts = [error['message'], error['details'], error['error_message_only'], error['data']];
  return parts.filter((part) => typeof part === 'string').join(' ');
}

function waitOf(error: unknown, retryAfter: string | undefined): number | undefined {
  const seconds = retryAfter === undefined ? [] : [/^\d+$/.test(retryAfter.trim()) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000];
  const inWords = /try again in (\d+(?:\.\d+)?) ?(ms|s)\b/i.exec(textOf(error));
  if (inWords !== null) seconds.push(Number(inWords[1]) / (inWords[2] === 'ms' ? 1_000 : 1));
  const data = isObject(error) ? error['data'] : undefined;
  if (isObject(data)) {
    seconds.push(Number(data['backoff_seconds'] ?? 0));
    const rate = data['rate'];
    if (isObject(rate)) seconds.push(Number(rate['backoff_seconds'] ?? 0));
  }
  const longest = Math.max(0, ...seconds.filter((value) => Number.isFinite(value)));
  return longest === 0 ? undefined : Math.ceil(longest * 1000);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
