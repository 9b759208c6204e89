import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EmulatedFault, EmulatedFaults } from './emulated-faults.ts';
import { readBody, respond } from './emulated-http.ts';
import type { Referee } from './referee.ts';

/**
 * For whoever is in another process: `GET /referee`; `GET`, `POST`, `DELETE /faults` and `DELETE /faults/{id}`. A page in a
 * browser cannot switch faults, for what is posted must be of type application/json.
 */
export async function serveControl(request: IncomingMessage, response: ServerResponse, path: string, referee: Referee, faults: EmulatedFaults): Promise<void> {
  const [, what, id] = path.split('/');
  const answer = (status: number, body: unknown): void => respond(response, status, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(body)));
  const asked = `${request.method} ${what}`;
  if (asked === 'GET referee') return answer(200, referee.report());
  if (asked === 'GET faults') return answer(200, faults.list());
  if (asked === 'DELETE faults') {
    if (id === undefined) faults.clear();
    else faults.remove(Number(id));
    return answer(200, faults.list());
  }
  if (asked !== 'POST faults') return answer(404, { error: `no ${asked} here` });
  if (!request.headers['content-type']?.startsWith('application/json')) return answer(415, { error: 'application/json only' });
  const fault = JSON.parse((await readBody(request)).toString()) as EmulatedFault;
  return typeof fault.does?.kind === 'string' ? answer(200, { id: faults.add(fault) }) : answer(400, { error: 'a fault says what it does: {"does": {"kind": ...}}' });
}
