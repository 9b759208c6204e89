import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { z } from 'zod';
import { defineEntries, defineFolder, defineSettings, httpSettings, loadSettings, platformSettings, Secret, secret, setting, SettingsInvalid } from './index.ts';
import type { SettingsPart, SettingsProblem } from './index.ts';

const chain = defineSettings(
  'chain',
  z.strictObject({
    rpcUrls: setting(z.array(secret(z.url({ protocol: /^(https?|wss?)$/ }))).default([]), { description: 'Providers.', env: 'RPC_URL' }),
    startBlock: setting(z.union([z.literal('latest'), z.int().min(0)]).optional(), { description: 'First block.', env: 'START_BLOCK' }),
    batch: z.strictObject({
      blocks: setting(z.int().min(1).max(100).default(10), { description: 'Blocks a request.' }),
      receipts: setting(z.boolean().default(true), { description: 'With receipts.', env: 'RECEIPTS' }),
    }),
  }),
);
const chains = defineFolder(
  'chains',
  z.strictObject({
    chainId: setting(z.int().min(1), { description: 'EIP-155.' }),
    providers: setting(z.array(z.strictObject({ url: setting(secret(z.url()), { description: 'Where.' }) })).default([]), { description: 'Providers.' }),
  }),
);

describe('settings', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'chainfold-settings-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const write = (name: string, text: string): string => {
    const file = join(dir, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const load = <const Parts extends readonly SettingsPart[]>(parts: Parts, env: Record<string, string> = {}) =>
    loadSettings(parts, { env, configDir: dir });
  const problems = (parts: readonly SettingsPart[], env: Record<string, string> = {}): readonly SettingsProblem[] => {
    try {
      load(parts, env);
    } catch (error) {
      if (error instanceof SettingsInvalid) return error.problems;
      throw error;
    }
    return [];
  };
  const broken = (parts: readonly SettingsPart[], env: Record<string, string> = {}): string[] => problems(parts, env).map(({ path, rule }) => `${path} ${rule}`);

  it('are complete without any file or variable', () => {
    expect(load(platformSettings)).toEqual({
      http: { port: 3000, host: '127.0.0.1', accessTokens: [] },
      data: { dir: './data' },
      log: { level: 'info' },
    });
    expect(load([chain, chains])).toEqual({ chain: { rpcUrls: [], batch: { blocks: 10, receipts: true } }, chains: [] });
  });

  it('are laid over each other: default.yaml, CONFIG_FILE, environment, secret files', () => {
    write('default.yaml', 'http: { port: 1, host: localhost }\ndata: { dir: /a }\nlog: { level: debug }\n');
    const own = write('own.yaml', 'http: { port: 2 }\ndata: { dir: null }\n');
    const settings = load([...platformSettings, chain], {
      CONFIG_FILE: own,
      PORT: '0',
      RPC_URL: 'http://one',
      RPC_URL_FILE: write('rpc-url', 'http://two, wss://three\n'),
    });
    expect(settings.http).toMatchObject({ port: 0, host: 'localhost' });
    expect(settings.data.dir).toBe('./data');
    expect(settings.log.level).toBe('debug');
    expect(settings.chain.rpcUrls.map((url) => url.reveal())).toEqual(['http://two', 'wss://three']);
  });

  it.each([
    [{ START_BLOCK: 'latest' }, { startBlock: 'latest' }],
    [{ START_BLOCK: '17000000' }, { startBlock: 17_000_000 }],
    [{ START_BLOCK: ' ' }, {}],
    [{ RECEIPTS: 'false' }, { batch: { receipts: false, blocks: 10 } }],
  ])('read the environment %j as the kind of value that is asked for', (env, expected) => {
    expect(load([chain], env).chain).toMatchObject(expected);
  });

  it('take groups from the environment as JSON', () => {
    const token = { name: 'ops', scopes: ['read', 'operate'], sha256: 'a'.repeat(64) };
    expect(load([httpSettings], { HOST: '0.0.0.0', ACCESS_TOKENS: JSON.stringify([token]) }).http.accessTokens).toEqual([token]);
  });

  it('tell all problems at once: files, keys, values of every part', () => {
    write('default.yaml', 'htpp: { port: 1 }\nlog: { level: loud, fromat: json }\nchain: { batch: { blocks: 0 } }\n');
    write('chains/one.yaml', 'chainid: 1\nproviders: [{ url: nonsense }]\n');
    write('chains/two.yaml', 'chainId: [1\n');
    expect(broken([...platformSettings, chain, chains], { PORT: '70000', START_BLOCK: 'newest', CONFIG_FILE: join(dir, 'absent.yaml') })).toEqual([
      'config/chains/two.yaml must be YAML',
      'CONFIG_FILE must be a readable file',
      'htpp is not a setting',
      'http.port must be an integer from 0 to 65535',
      'log.level must be `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`',
      'log.fromat is not a setting',
      'chain.startBlock must be `latest` or an integer, at least 0',
      'chain.batch.blocks must be an integer from 1 to 100',
      'chains/one.chainId must be an integer, at least 1',
      'chains/one.providers[0].url must be an address like https://host/path',
      'chains/one.chainid is not a setting',
      'chains/two.chainId must be an integer, at least 1',
    ]);
  });

  it('say where a wrong value came from, what was meant, and how to set what is missing', () => {
    write('default.yaml', 'log: { levle: info }\n');
    write('chains/one.yaml', '');
    const hints = problems([...platformSettings, chains], { PORT: 'x' }).map(({ hint }) => hint);
    expect(hints).toEqual([
      'It was given by the environment variable PORT.',
      'It stands in config/default.yaml. Did you mean level?',
      'It is not set. Set it in config/chains/one.yaml.',
    ]);
  });

  it('never show a value, neither in the problems nor in the report', () => {
    write('default.yaml', 'chain: { rpcUrls: ["hunter2"], startBlock: hunter2 }\nlog: hunter2\n');
    write('own.yaml', 'a: "hunter2\n b: : hunter2');
    const env = { PORT: 'hunter2', ACCESS_TOKENS: '[{name: hunter2, scopes: [hunter2], sha256: hunter2}]', CONFIG_FILE: join(dir, 'own.yaml') };
    try {
      load([...platformSettings, chain], env);
      throw new Error('should have been refused');
    } catch (error) {
      expect(error).toBeInstanceOf(SettingsInvalid);
      const invalid = error as SettingsInvalid;
      expect(invalid.report()).toContain('http.accessTokens[0].sha256');
      expect(invalid.report() + inspect(invalid, { depth: 9 }) + JSON.stringify(invalid)).not.toContain('hunter2');
    }
  });

  it('listen beyond this machine only with access tokens', () => {
    expect(broken([httpSettings], { HOST: '0.0.0.0' })).toEqual(['http.accessTokens must hold at least one token when `host` is not a loopback address']);
    expect(broken([httpSettings], { HOST: '::1' })).toEqual([]);
    expect(broken([httpSettings], { HOST: '10.0.0.1', PORT: '-1' })).toHaveLength(2);
  });

  it('take folder entries from files, change them in CONFIG_FILE, and add others there', () => {
    write('chains/one.yaml', 'chainId: 1\nproviders: [{ url: "https://host/${API_KEY}" }]\n');
    write('own.yaml', 'chains: { one: { chainId: 11 }, two: { chainId: 2 } }\n');
    const loaded = load([chains], { CONFIG_FILE: join(dir, 'own.yaml'), API_KEY_FILE: write('key', 'k3y\n') }).chains;
    expect(loaded.map(({ name, value }) => [name, value.chainId])).toEqual([['one', 11], ['two', 2]]);
    expect(loaded[0]?.value.providers[0]?.url.reveal()).toBe('https://host/k3y');
  });

  describe('of entries that stand together in files', () => {
    const keys = defineEntries('keys', z.strictObject({ secret: setting(secret(z.string().min(1)), { description: 'Secret.' }) }));

    it('are all that keys.yaml and keys-*.yaml hold, and what CONFIG_FILE adds', () => {
      write('keys.yaml', 'one: { secret: "${ONE}" }\n');
      write('keys-team.yaml', 'two: { secret: b }\n');
      write('keys-off.yaml.example', 'three: { secret: c }\n');
      write('keystone.yaml', 'four: { secret: d }\n');
      const loaded = load([keys], { ONE_FILE: write('one', 'a\n'), CONFIG_FILE: write('own.yaml', 'keys: { five: { secret: e } }\n') }).keys;
      expect(loaded.map(({ name, value }) => [name, value.secret.reveal()]).sort()).toEqual([['five', 'e'], ['one', 'a'], ['two', 'b']]);
    });

    it('are refused where two files hold one, and told where to set what is missing', () => {
      write('keys.yaml', 'one: { secret: a }\ntwo: {}\n');
      write('keys-team.yaml', 'one: { secret: b }\n');
      expect(problems([keys])).toEqual([
        { path: 'keys/one', rule: 'must stand in one file only', hint: 'It stands in config/keys-team.yaml and in config/keys.yaml.' },
        { path: 'keys/two.secret', rule: 'must be a text that is not empty', hint: 'It is not set. Set it in config/keys.yaml.' },
      ]);
    });
  });

  describe('of rules in words of their own', () => {
    const limit = z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('rolling'), windowMs: z.int().min(10), units: z.int().min(1) }),
      z.strictObject({ kind: z.literal('calendar'), period: z.enum(['day', 'month']), units: z.string().min(1) }),
    ]);
    const names = z.string().regex(/^[1-9]\d*$/, 'must be a number in decimal');
    const rules = defineSettings(
      'rules',
      z.strictObject({
        at: setting(z.string().regex(/^\S+:\d+$/, { error: 'must be host:port' }).optional(), { description: 'Where.', env: 'AT' }),
        limits: setting(z.array(limit).default([]), { description: 'Limits.' }),
        names: setting(z.record(names, z.string().min(1)).default({}), { description: 'Names.' }),
        others: setting(z.record(z.string().regex(/^a/), z.string()).default({}), { description: 'Names without a rule in words.' }),
      }),
    );

    it('say what their schema says', () => {
      expect(broken([rules], { AT: 'nonsense' })).toEqual(['rules.at must be host:port']);
    });

    it('are read like the others inside entries of several kinds', () => {
      write('default.yaml', 'rules: { limits: [{ kind: rolling, windowMs: 1, units: 0 }, { kind: calendar, period: year, units: "" }, { kind: other }, { kind: rolling, windowMs: 10, units: 1, unit: 1 }] }\n');
      expect(problems([rules]).map(({ path, rule, hint }) => `${path} ${rule}${rule === 'is not a setting' ? ` ${hint}` : ''}`)).toEqual([
        'rules.limits[0].windowMs must be an integer, at least 10',
        'rules.limits[0].units must be an integer, at least 1 or a text that is not empty',
        'rules.limits[1].period must be `day` or `month`',
        'rules.limits[1].units must be an integer, at least 1 or a text that is not empty',
        'rules.limits[2].kind must be `rolling` or `calendar`',
        'rules.limits[3].unit is not a setting It stands in config/default.yaml. Did you mean units?',
      ]);
    });

    it('are told of names that somebody chose', () => {
      write('default.yaml', 'rules: { names: { mainnet: a, 1: "" }, others: { b: c } }\n');
      expect(broken([rules])).toEqual(['rules.names.1 must be a text that is not empty', 'rules.names.mainnet must be a number in decimal', 'rules.others.b must have another name']);
    });
  });

  it('name the variable that a file needs and nobody set', () => {
    write('chains/one.yaml', 'chainId: 1\nproviders: [{ url: "https://host/${API_KEY}" }]\n');
    expect(problems([chains])[0]).toMatchObject({ rule: 'needs the environment variable API_KEY' });
  });

  it('refuse a schema of ours that nobody could find its way in', () => {
    expect(() => defineSettings('x', z.strictObject({ a: z.string() }))).toThrow('declared wrongly');
    expect(() => defineSettings('x', z.object({ a: setting(z.string(), { description: 'A.' }) }))).toThrow('declared wrongly');
    const port = (name: string) => defineSettings(name, z.strictObject({ p: setting(z.int().default(1), { description: 'P.', env: 'P' }) }));
    expect(() => load([port('a'), port('b')])).toThrow('declared wrongly');
  });
});

describe('a secret', () => {
  it('shows itself only when asked', () => {
    const key = new Secret('hunter2');
    const printed = [String(key), `${key as unknown as string}`, JSON.stringify({ key }), inspect({ key }), inspect(key), Object.keys(key).join(','), JSON.stringify(Object.entries(key))];
    expect(printed.join(' ')).not.toContain('hunter2');
    expect(key.reveal()).toBe('hunter2');
  });
});
