import { connect, type Socket } from 'node:net';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { systemClock } from '#platform/kernel';
import { openLog } from '#platform/observability';
import { Secret } from '#platform/settings';
import { z } from 'zod';
import { writeFrame } from './frame.ts';
import { Attachments, MessageBody, OwnerConnection, WorkersDoor } from './index.ts';

const TOKEN = 'the-token-of-the-owner';
const AGREEMENT = { 'chains/main': 'aa', 'events/block': 'bb' };
const VERSION = '1.2.3';

const echoed = z.strictObject({ text: z.string().max(10) });

@Controller()
class Echo {
  @MessagePattern('echo.v1')
  echo(@Payload(new MessageBody(echoed)) { text }: z.output<typeof echoed>, @Attachments() attachments: readonly Uint8Array[]): object {
    if (text === 'bug') throw new Error(`secret ${TOKEN}`);
    return { text, bytes: attachments.reduce((sum, { length }) => sum + length, 0) };
  }
}

const answer = z.strictObject({ text: z.string(), bytes: z.int() });
const lines: string[] = [];
const log = openLog({ level: 'info', format: 'json', to: { write: (line: string) => void lines.push(line) } });

let door: WorkersDoor;
let port: number;
const open: (() => void)[] = [];

beforeAll(async () => {
  door = new WorkersDoor({ host: '127.0.0.1', port: 0, token: new Secret(TOKEN), version: VERSION, agreement: AGREEMENT, log }, { controllers: [Echo], providers: [] });
  port = await door.open();
});
afterEach(() => {
  for (const close of open.splice(0)) close();
});
afterAll(() => door.close());

function worker(changes: Partial<ConstructorParameters<typeof OwnerConnection>[0]> = {}): OwnerConnection {
  const connection = new OwnerConnection({ at: `127.0.0.1:${port}`, token: new Secret(TOKEN), version: VERSION, agreement: AGREEMENT, clock: systemClock, log, ...changes });
  open.push(() => connection.close());
  return connection;
}

const ask = (connection: OwnerConnection, text: string, attachments: readonly Uint8Array[] = []) =>
  connection.ask({ pattern: 'echo.v1', body: { text }, attachments, answer, withinMs: 5_000 });

/** A peer that keeps to no rule; answers what came back until it was cut or fell silent. */
async function stranger(...sent: readonly Buffer[]): Promise<{ readonly said: string; readonly cut: boolean }> {
  const socket: Socket = connect(port, '127.0.0.1');
  open.push(() => socket.destroy());
  let said = '';
  let cut = false;
  socket.on('data', (data) => (said += data.toString('latin1')));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((end) => socket.once('close', () => end(void (cut = true))));
  await new Promise((connected) => socket.once('connect', connected));
  for (const piece of sent) socket.write(piece);
  const answered = new Promise<void>((end) => socket.on('data', () => end()));
  await Promise.race([closed, answered]);
  return { said, cut };
}

const frame = (packet: unknown, attachments: readonly Uint8Array[] = []): Buffer => Buffer.concat(writeFrame(packet, attachments));
const head = (json: number, attachments: number): Buffer => {
  const bytes = Buffer.from('cfw1\0\0\0\0\0\0\0\0', 'latin1');
  bytes.writeUInt32BE(json, 4);
  bytes.writeUInt32BE(attachments, 8);
  return bytes;
};
const hello = (changes: object): Buffer =>
  frame({ pattern: 'hello.v1', id: '1', data: { token: TOKEN, body: { holder: 'worker.1.a', version: VERSION, agreement: AGREEMENT, ...changes } } });

describe('the door for workers', () => {
  it('greets a worker and answers it, bytes as bytes, several at once', async () => {
    const one = worker();
    const answers = await Promise.all([ask(one, 'a'), ask(one, 'b', [new Uint8Array(3_000_000), new Uint8Array(5)]), ask(worker(), 'c')]);
    expect(answers).toEqual([{ text: 'a', bytes: 0 }, { text: 'b', bytes: 3_000_005 }, { text: 'c', bytes: 0 }]);
    expect(one.health()).toEqual({ status: 'up' });
  });

  it.each([
    ['without a token', { token: undefined }, 'worker-token-wrong'],
    ['with another token', { token: new Secret('the-token-of-the-ownex') }, 'worker-token-wrong'],
    ['of another version', { version: '1.2.4' }, 'worker-version-differs'],
    ['with other settings', { agreement: { ...AGREEMENT, 'chains/main': 'ab' } }, 'worker-settings-differ'],
    ['that lacks a setting', { agreement: { 'events/block': 'bb' } }, 'worker-settings-differ'],
  ])('refuses a worker %s', async (_, changes, code) => {
    const refused = worker(changes);
    await expect(ask(refused, 'a')).rejects.toMatchObject({ code });
    expect(refused.health()).toMatchObject({ status: 'down' });
  });

  it('comes back to an owner whose connection was lost', async () => {
    const one = worker();
    await ask(one, 'a');
    const again = new OwnerConnection({ at: `127.0.0.1:${port}`, token: new Secret(TOKEN), version: VERSION, agreement: AGREEMENT, clock: systemClock, log });
    open.push(() => again.close());
    // The same process greets twice: its older connection is cut.
    Object.defineProperty(again, 'holder', { value: one.holder });
    await ask(again, 'b');
    const until = performance.now() + 10_000;
    for (let answered = false; !answered; ) {
      answered = await ask(one, 'c').then(
        () => true,
        () => performance.now() > until,
      );
      await systemClock.sleep(20);
    }
    expect(await ask(one, 'd')).toEqual({ text: 'd', bytes: 0 });
  });

  it('refuses a body that breaks its schema without repeating it, and goes on', async () => {
    const one = worker();
    const wrong = await ask(one, 'far too long a text').catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: 'worker-message-invalid', facts: { where: 'text' } });
    expect(JSON.stringify(wrong)).not.toContain('far too long');
    expect(await ask(one, 'b')).toMatchObject({ text: 'b' });
  });

  it('tells nothing of a bug of its own', async () => {
    await expect(ask(worker(), 'bug')).rejects.toMatchObject({ code: 'owner-failed', message: 'The owner failed' });
  });

  it.each([
    ['of another protocol', [Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')]],
    ['that announces more than a stranger may send', [head(64_001, 0)]],
    ['that announces attachments before it was greeted', [head(10, 1)]],
    ['that announces four gigabytes', [head(0xff_ff_ff_ff, 0xff_ff_ff_ff)]],
    ['that is no JSON', [head(4, 0), Buffer.from('{{{{')]],
    ['that is no packet', [frame('text')]],
    ['whose pattern is an object', [frame({ pattern: { cmd: 'hello' }, id: '1', data: {} })]],
    ['that is an event', [frame({ pattern: 'echo.v1', data: {} })]],
    ['without data', [frame({ pattern: 'echo.v1', id: '1' })]],
    ['whose data is a list', [frame({ pattern: 'hello.v1', id: '1', data: [] })]],
  ])('cuts a peer with a message %s', async (_, sent) => {
    expect(await stranger(...sent)).toMatchObject({ cut: true });
  });

  it.each([
    ['before it was greeted', frame({ pattern: 'echo.v1', id: '1', data: { token: TOKEN, body: { text: 'a' } } }), 'worker-greeting-missing'],
    ['without the token', frame({ pattern: 'echo.v1', id: '1', data: { body: { text: 'a' } } }), 'worker-token-wrong'],
    ['with a token that is no text', frame({ pattern: 'hello.v1', id: '1', data: { token: { length: 22 }, body: {} } }), 'worker-token-wrong'],
    ['that calls itself a part of the owner', hello({ holder: 'inside.1' }), 'worker-message-invalid'],
    ['with more in its greeting', hello({ admin: true }), 'worker-message-invalid'],
    ['with a version that breaks lines', hello({ version: '1\n{"level":"info"}' }), 'worker-message-invalid'],
  ])('refuses a peer %s', async (_, sent, code) => {
    expect((await stranger(sent)).said).toContain(code);
  });

  it('lives after all of that, and wrote the token nowhere', async () => {
    expect(await ask(worker(), 'a')).toMatchObject({ text: 'a' });
    expect(lines.filter((line) => line.includes('a message of a worker failed'))).toHaveLength(1);
    expect(lines.filter((line) => !line.includes('a message of a worker failed')).join('')).not.toContain(TOKEN);
  });
});
