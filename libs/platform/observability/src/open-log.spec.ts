import { ChainfoldError } from '#platform/kernel';
import { Secret } from '#platform/settings';
import { nestLogger } from './nest-logger.ts';
import { openLog, type LogOptions } from './open-log.ts';

const KEY = 'a1b2c3d4e5f6';
const PROVIDER = `https://mainnet.infura.io/v3/${KEY}?key=${KEY}`;

function logTo(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = openLog({ level: 'info', format: 'json', to: { write: (line: string) => void lines.push(line) }, ...options });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> };
}

describe('the log', () => {
  it('writes a constant message with its fields, level by name and ISO time', () => {
    const { log, last } = logTo({ fields: { service: 'all-in-one' } });
    log.child({ chainId: '1' }).info({ height: 7, size: 10n ** 20n }, 'Head moved');
    expect(last()).toMatchObject({ level: 'info', msg: 'Head moved', chainId: '1', height: 7, size: '100000000000000000000', service: 'all-in-one' });
    expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('passes over what is less severe than its level', () => {
    const { log, lines } = logTo({ level: 'warn' });
    log.info({}, 'Head moved');
    expect(lines).toEqual([]);
  });

  it('never shows a key: in fields, nested ones, errors and their causes, children, messages of others', () => {
    const { log, lines } = logTo();
    const cause = new TypeError(`connect to wss://user:${KEY}@host/ws/${KEY} failed`);
    const err = new ChainfoldError('No answer', { code: 'node-unreachable', kind: 'unavailable', facts: { url: PROVIDER }, cause });
    log.child({ at: PROVIDER }).error({ err, url: new URL(PROVIDER), list: [{ deep: PROVIDER }], apiKey: KEY, headers: { authorization: KEY } }, 'Provider failed');
    log.warn({ rpc: new Secret(PROVIDER) }, `Nest says ${PROVIDER}`);
    nestLogger(log).error(new Error(`bad ${PROVIDER}`), 'stack', 'Router');
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain(KEY);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      at: 'https://mainnet.infura.io/[masked]',
      apiKey: '[secret]',
      err: { code: 'node-unreachable', facts: { url: 'https://mainnet.infura.io/[masked]' }, cause: { type: 'TypeError', message: 'connect to wss://host/[masked] failed' } },
    });
  });

  it('is readable for people', () => {
    const { log, lines } = logTo({ format: 'pretty' });
    log.info({ url: PROVIDER }, 'Head moved');
    expect(lines.join('')).toMatch(/INFO.*Head moved/);
    expect(lines.join('')).toContain('"url":"https://mainnet.infura.io/[masked]"');
  });

  it("tells Nest's boot only when debugging, its trouble always", () => {
    const { log, lines, last } = logTo();
    nestLogger(log).log('Mapped {/blocks, GET} route', 'RouterExplorer');
    expect(lines).toEqual([]);
    nestLogger(log).warn('Deprecated', 'Router');
    expect(last()).toMatchObject({ level: 'warn', context: 'Router', msg: 'Deprecated' });
  });
});
