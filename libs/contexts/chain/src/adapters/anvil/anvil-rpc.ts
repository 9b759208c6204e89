import { ChainfoldError } from '#platform/kernel';
import type { RpcCall, RpcOutcome } from '../../ports/embedded-node.port.ts';

const TIMEOUT_MS = 20_000;

/** One batch over HTTP. Throws `embedded-node-unreachable`. */
export async function anvilRpc(url: string, calls: readonly RpcCall[], timeoutMs = TIMEOUT_MS): Promise<readonly RpcOutcome[]> {
  if (calls.length === 0) return [];
  const body = JSON.stringify(calls.map(({ method, params }, id) => ({ jsonrpc: '2.0', id, method, params })));
  let answers: { id: number; result?: unknown; error?: { message: string } }[];
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    answers = (await response.json()) as typeof answers;
  } catch (cause) {
    throw new ChainfoldError('The embedded node does not answer', {
      code: 'embedded-node-unreachable',
      kind: 'unavailable',
      retryable: true,
      facts: { url, method: calls[0]?.method ?? '' },
      cause,
    });
  }
  const byId = new Map(answers.map((answer) => [answer.id, answer]));
  return calls.map((_call, id) => {
    const answer = byId.get(id);
    if (answer === undefined) return { ok: false, message: 'no answer to this call' };
    return answer.error === undefined ? { ok: true, result: answer.result } : { ok: false, message: answer.error.message };
  });
}

/** Differs for every anvil process, so it tells whether the one at a port is the one we started. */
export async function anvilInstance(url: string): Promise<string | undefined> {
  try {
    const [outcome] = await anvilRpc(url, [{ method: 'anvil_metadata', params: [] }], 2_000);
    return outcome?.ok === true ? (outcome.result as { instanceId: string }).instanceId : undefined;
  } catch {
    return undefined;
  }
}

export async function anvilDump(url: string): Promise<Buffer | undefined> {
  const [outcome] = await anvilRpc(url, [{ method: 'anvil_dumpState', params: [] }]);
  return outcome?.ok === true ? Buffer.from((outcome.result as string).slice(2), 'hex') : undefined;
}
