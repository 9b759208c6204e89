import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { loadSettings, SettingsInvalid } from '#platform/settings';
import { keySettings } from '../key-pool.settings.ts';
import { addressesOf, type ConfiguredKeys, configuredKeys } from './configured-keys.ts';
import { CROSSING_NAME } from './exchange-messages.ts';

const SHIPPED = join(import.meta.dirname, '../../../../../config');
const CHAINS = ['1', '11155111', '137', '42161', '10', '8453'];

describe('keys as the settings give them', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'chainfold-keys-'));
    mkdirSync(join(dir, 'providers'));
    for (const file of readdirSync(join(SHIPPED, 'providers'))) copyFileSync(join(SHIPPED, 'providers', file), join(dir, 'providers', file));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const write = (name: string, text: string): void => writeFileSync(join(dir, name), text);
  const load = (env: Record<string, string> = {}): ConfiguredKeys => configuredKeys(loadSettings(keySettings, { env, configDir: dir }));
  const refused = (env: Record<string, string> = {}): SettingsInvalid => {
    try {
      load(env);
    } catch (error) {
      if (error instanceof SettingsInvalid) return error;
      throw error;
    }
    throw new Error('should have been refused');
  };
  const rules = (error: SettingsInvalid): string[] => error.problems.map(({ path, rule }) => `${path} ${rule}`);

  it('are found in the environment, called by provider and fingerprint, and in files by alias', () => {
    write('keys.yaml', 'main: { provider: alchemy, secrets: ["${A}", "${B}"] }\n');
    write('keys-team.yaml', 'team: { provider: infura, secret: "${C}" }\n');
    const { keys } = load({ KEYS: 'infura:s1,infura:s2,node:http://127.0.0.1:8545', A: 'a', B: 'b', C: 'c' });
    expect(keys.map(({ alias, provider, secrets }) => [alias, provider, secrets.map((secret) => secret.reveal())])).toEqual([
      ['team', 'infura', ['c']],
      ['main', 'alchemy', ['a', 'b']],
      ['infura-e8bc163c', 'infura', ['s1']],
      ['infura-ad328846', 'infura', ['s2']],
      ['node-364b0e6f', 'node', ['http://127.0.0.1:8545']],
    ]);
    expect(keys.find(({ alias }) => alias === 'main')?.fingerprints).toEqual(['a', 'b'].map((text) => createHash('sha256').update(text).digest('hex').slice(0, 8)));
    expect(inspect(keys, { depth: 9 }) + JSON.stringify(keys)).not.toMatch(/s1|127\.0\.0\.1/);
  });

  it('are 22 with the example as it ships, once their variables are set', () => {
    copyFileSync(join(SHIPPED, 'keys.yaml.example'), join(dir, 'keys.yaml'));
    const missing = refused().problems.map(({ rule }) => /variable (\w+)$/.exec(rule)?.[1] ?? rule);
    const { keys } = load(Object.fromEntries(missing.map((name) => [name, `value-of-${name}`])));
    const of = (provider: string): number => keys.filter((key) => key.provider === provider).length;
    expect([of('infura'), of('alchemy')]).toEqual([17, 5]);
  });

  it.each(['infura', 'alchemy', 'infura-2024', 'alchemy-2024'])('reach every network of %s over HTTP and WebSocket, and no other', (name) => {
    const provider = load().providers.get(name)!;
    for (const chainId of CHAINS) {
      const { httpUrl, wsUrl } = addressesOf(provider, 'k3y', chainId)!;
      expect(httpUrl).toMatch(/^https:\/\/[a-z-]+\.(infura\.io\/v3|g\.alchemy\.com\/v2)\/k3y$/);
      expect(wsUrl).toMatch(/^wss:\/\/[a-z-]+\.(infura\.io\/ws\/v3|g\.alchemy\.com\/v2)\/k3y$/);
    }
    expect(addressesOf(provider, 'k3y', '31337')).toBeUndefined();
  });

  it('are whole addresses where the provider is a plain node', () => {
    expect(addressesOf(load().providers.get('node')!, 'http://127.0.0.1:8545', '31337')).toEqual({ httpUrl: 'http://127.0.0.1:8545' });
  });

  it('are refused with every problem at once', () => {
    write('keys.yaml', 'infura-3e23e816: { provider: infura, secrets: [a] }\nBig: { provider: alchemy, secrets: [your-key] }\nother: { provider: quick, secrets: [a] }\nurl: { provider: node, secrets: ["https://host/v3/your-key"] }\n');
    write('providers/odd.yaml', 'title: Odd\nsource: nowhere\nhttp: "{key}"\nledgers: { other: { default: 1 } }\nlimits: [{ kind: rolling, name: a, windowMs: 1000, units: 1 }, { kind: calendar, name: a, ledger: other, period: day, units: 1 }]\n');
    expect(rules(refused({ KEYS: 'infura:b' })).sort()).toEqual([
      'keyPool.keys[0] has the same alias as keys/infura-3e23e816',
      'keys/Big must be an alias of small letters, digits, dots and hyphens, at most 60',
      'keys/Big must hold the secret itself',
      'keys/other has the same secret as keys/infura-3e23e816',
      'keys/other.provider must be a provider that there is',
      'keys/url must hold the secret itself',
      'providers/odd.ledgers must have the ledger units',
      'providers/odd.limits must have names of their own',
      'providers/odd.limits names the ledger units, which it has not',
    ]);
  });

  describe('of which providers meter and charge', () => {
    const odd = (lines: string, name = 'odd'): void => write(`providers/${name}.yaml`, `title: Odd\nsource: nowhere\nhttp: "{key}"\n${lines}\n`);
    const NAME = 'must begin with a letter or digit and hold only these, spaces and _ . : @ ( ) / -';

    it.each([
      ['ledgers: { units: { default: 0.5 } }', 'providers/odd.ledgers.units.default must be an integer from 0 to 1000000000000000'],
      ['ledgers: { units: { default: 1, methods: { eth_call: 1.5 } } }', 'providers/odd.ledgers.units.methods.eth_call must be an integer from 0 to 1000000000000000'],
      ['ledgers: { units: { default: 1, batch: 0.1, push: { each: 0.1 } } }', 'providers/odd.ledgers.units.batch must be an integer from 0 to 1000000000000000', 'providers/odd.ledgers.units.push.each must be an integer from 0 to 1000000000000000'],
      ['ledgers: { units: { default: 1 }, "a, b": { default: 1 } }', `providers/odd.ledgers.a, b ${NAME}`],
      ['ledgers: { units: { default: 1 } }\nlimits: [{ kind: rolling, name: "second, rolling", windowMs: 1000, units: 1 }]', `providers/odd.limits[0].name ${NAME}`],
      ['ledgers: { units: { default: 1 } }\nlimits: [{ kind: rolling, name: second, windowMs: 9, units: 1.5 }]', 'providers/odd.limits[0].windowMs must be an integer from 10 to 3600000', 'providers/odd.limits[0].units must be an integer from 1 to 1000000000000000'],
    ])('are refused where no desk and no log could carry them: %s', (lines, ...told) => {
      odd(lines);
      expect(rules(refused())).toEqual(told);
    });

    it('are refused where their file is named so', () => {
      odd('ledgers: { units: { default: 1 } }', 'a, b');
      expect(rules(refused())).toEqual([`providers/a, b ${NAME}`]);
    });

    it('may charge parts of a unit for a byte', () => {
      odd('ledgers: { units: { default: 1, push: { perByte: 0.04 } } }');
      expect(load().providers.get('odd')?.tariff.ledgers['units']?.push).toEqual({ each: 0, perByte: 0.04 });
    });

    it('have names that cross to other processes', () => {
      for (const { tariff } of load().providers.values()) {
        for (const name of [tariff.provider, ...Object.keys(tariff.ledgers), ...tariff.limits.map((limit) => limit.name)]) expect(name).toMatch(CROSSING_NAME);
      }
    });
  });

  describe('of which addresses are made', () => {
    const odd = (lines: string): void => write('providers/odd.yaml', `title: Odd\nsource: nowhere\nledgers: { units: { default: 1 } }\n${lines}\n`);

    it.each([
      ['http: https://host/v3', 'providers/odd.http must have {key} in it'],
      ['http: "ftp:/nowhere"', 'providers/odd.http must have {key} in it'],
      ['http: "ftp://host/{key}"', 'providers/odd.http must be an address, http:// or https://'],
      ['http: "https:host/{key}"', 'providers/odd.http must be an address, http:// or https://'],
      ['http: "https://:1/{key}"', 'providers/odd.http must be an address, http:// or https://'],
      ['http: "https://host/{key}"\nws: "https://host/{key}"', 'providers/odd.ws must be an address, ws:// or wss://'],
      ['http: "https://host/{key}"\nws: "wss://host"', 'providers/odd.ws must have {key} in it'],
      ['http: "https://{key}.host/v3"', 'providers/odd.http must not have {key} in the name of the host'],
      ['http: "https://u:p@host:{key}"', 'providers/odd.http must not have {key} in the name of the host'],
      ['http: "https://{network}.host/{key}"', 'providers/odd.http has {network} in it, which needs networks'],
      ['http: "https://{network}/{key}"\nnetworks: { 1: main, 2: "not a host" }', 'providers/odd.http must be an address, http:// or https://'],
    ])('are refused where none can come of them: %s', (lines, rule) => {
      odd(lines);
      expect(rules(refused())).toEqual([rule]);
    });

    it.each(['http: "https://host/?key={key}"\nws: "wss://host?key={key}"', 'http: "{network}/{key}"\nnetworks: { 1: "https://host" }', 'http: "http://{network}:{key}@host"\nnetworks: { 1: main }'])('may be of any form: %s', (lines) => {
      odd(lines);
      expect(load().providers.has('odd')).toBe(true);
    });

    it.each(['host.example.org/v3/hunter2', 'localhost:8545/hunter2', 'https:host/hunter2', 'https://ho^st/hunter2', 'wss://host/hunter2'])('are refused by place and rule where a secret makes none, and never shown: %s', (secret) => {
      const error = refused({ KEYS: `infura:a,node:${secret}` });
      expect(rules(error)).toEqual(['keyPool.keys[1] must be a whole address, http:// or https://']);
      expect(error.report() + inspect(error, { depth: 9 }) + JSON.stringify(error)).not.toMatch(/hunter2|host\//);
    });

    it('are looked at for every secret and every way', () => {
      odd('http: "https://u:{key}@host"\nws: "wss://u:{key}@host"');
      write('keys.yaml', 'one: { provider: odd, secrets: [good, "b/d"] }\n');
      expect(rules(refused())).toEqual(['keys/one must fit into the address that providers/odd.http makes of it', 'keys/one must fit into the address that providers/odd.ws makes of it']);
    });
  });

  it('have one secret or several of one account, not both', () => {
    write('keys.yaml', 'both: { provider: infura, secret: a, secrets: [b] }\nnone: { provider: infura }\nbad: { provider: infura, secret: 7 }\n');
    expect(rules(refused())).toEqual(['keys/both must have secret, or secrets', 'keys/none must have secret, or secrets', 'keys/bad.secret must be a text of 1 to 2000 characters']);
  });

  it.each(['hunter2', 'hunter2:infura', 'HUNTER2:infura', 'infura:a,hunter2', 'infura: hunter2', 'hunter2:infura,hunter2:infura'])('never show what stands in KEYS, even where it is not what was meant: %s', (text) => {
    const error = refused({ KEYS: text });
    expect(error.report() + inspect(error, { depth: 9 }) + JSON.stringify(error)).not.toMatch(/hunter2/i);
    expect(rules(error)[0]).toMatch(/^keyPool\.keys\[\d\](?: must be provider:secret|\.provider must be a provider that there is)$/);
  });
});
