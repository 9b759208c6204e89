import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChainfoldError, type Clock } from '#platform/kernel';

export interface ListenAt {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/** What of a Nest application is needed to open and close its door. */
interface Listening {
  listen(port: number, host: string): Promise<unknown>;
  getHttpServer(): Server;
}

const IN_FLIGHT_BUDGET_MS = 4_000;

/** Throws `port-in-use`, `port-forbidden`, `host-unknown`. Answers the address to open in a browser. */
export async function listen(app: Listening, at: ListenAt): Promise<string> {
  try {
    await app.listen(at.port, at.host);
  } catch (error) {
    throw whyNot(error, at);
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  return `http://${reachable(at.host)}:${port}`;
}

/** Takes no new connection, lets requests in flight end, then cuts what is left. */
export async function closeDoor(server: Server, clock: Clock): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((done) => server.close(() => done()));
  server.closeIdleConnections();
  const timer = new AbortController();
  await Promise.race([closed, clock.sleep(IN_FLIGHT_BUDGET_MS, timer.signal).catch(() => undefined)]);
  timer.abort();
  server.closeAllConnections();
  await closed;
}

function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function whyNot(error: unknown, at: ListenAt): unknown {
  const facts = { host: at.host, port: at.port };
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new ChainfoldError(`Port ${at.port} is in use`, {
        code: 'port-in-use',
        kind: 'unavailable',
        facts,
        hint: 'Set PORT to another number, or PORT=0 to pick a free one; or end the program that listens there.',
      });
    case 'EACCES':
      return new ChainfoldError(`This user may not listen on port ${at.port}`, {
        code: 'port-forbidden',
        kind: 'forbidden',
        facts,
        hint: 'Set PORT to a number from 1024 on.',
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ChainfoldError(`${at.host} is not an address of this machine`, {
        code: 'host-unknown',
        kind: 'invalid',
        facts,
        hint: 'Set HOST to 127.0.0.1, or to an address that this machine has.',
      });
    default:
      return error;
  }
}
