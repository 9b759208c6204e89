import { z } from 'zod';
import { setting } from './setting.ts';
import { defineSettings } from './settings-part.ts';

export const ACCESS_SCOPES = ['read', 'trade', 'operate'] as const;
export type AccessScope = (typeof ACCESS_SCOPES)[number];

const accessToken = z.strictObject({
  name: setting(z.string().min(1), { description: 'Who holds the token; shown in logs.' }),
  scopes: setting(z.array(z.enum(ACCESS_SCOPES)).min(1), { description: 'What it allows.' }),
  sha256: setting(z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits in lower case'), {
    description: 'SHA-256 of the token in lower-case hex; the token itself is never stored. `printf %s "$TOKEN" | sha256sum`.',
  }),
});
export type AccessToken = z.output<typeof accessToken>;

const accessTokens = setting(z.array(accessToken).default([]), {
  description: 'Who may ask. Without any, everybody on this machine may do everything.',
  env: 'ACCESS_TOKENS',
});
const host = setting(z.string().min(1).default('127.0.0.1'), {
  description: 'Interface to listen on. Off the loopback interface the server starts only with access tokens.',
  env: 'HOST',
});
const port = z.int().min(0).max(65_535);

const tokensOffLoopback = [
  (settings: { readonly host: string; readonly accessTokens: readonly AccessToken[] }) => isLoopback(settings.host) || settings.accessTokens.length > 0,
  {
    path: ['accessTokens'],
    error: 'must hold at least one token when `host` is not a loopback address',
    // Told together with other problems of the group, so only what it reads itself must be whole.
    when: ({ value }: { readonly value: unknown }) => {
      const given = value as { readonly host?: unknown; readonly accessTokens?: unknown };
      return typeof given.host === 'string' && Array.isArray(given.accessTokens);
    },
  },
] as const satisfies readonly [unknown, unknown];

const http = z
  .strictObject({
    port: setting(port.default(3000), { description: 'HTTP port; 0 picks a free one and prints it.', env: 'PORT' }),
    host,
    accessTokens,
  })
  .refine(tokensOffLoopback[0], { ...tokensOffLoopback[1], path: [...tokensOffLoopback[1].path] });

const monitor = z
  .strictObject({
    port: setting(port.optional(), {
      description: 'Port of a worker for health and metrics; 0 picks a free one and prints it.',
      env: 'PORT',
      defaultText: 'none: nothing listens',
    }),
    host,
    accessTokens,
  })
  .refine(tokensOffLoopback[0], { ...tokensOffLoopback[1], path: [...tokensOffLoopback[1].path] });

/** `http`: where the server listens and who may ask. */
export const httpSettings = defineSettings('http', http);

/** `monitor`: of a program that has no API, where it is watched. Its variables are those of `http`, which it has not. */
export const monitorSettings = defineSettings('monitor', monitor);

/** `data`: the embedded stores. */
export const dataSettings = defineSettings(
  'data',
  z.strictObject({
    dir: setting(z.string().min(1).default('./data'), { description: 'Folder of the embedded stores; made when absent.', env: 'DATA_DIR' }),
  }),
);

/** `log`: what this process writes to standard output. */
export const logSettings = defineSettings(
  'log',
  z.strictObject({
    level: setting(z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'), {
      description: 'Least severe line that is written.',
      env: 'LOG_LEVEL',
    }),
    format: setting(z.enum(['pretty', 'json']).optional(), {
      description: 'For people or for machines.',
      env: 'LOG_FORMAT',
      defaultText: '`pretty` on a terminal, else `json`',
    }),
  }),
);

/** What every deployable has. */
export const platformSettings = [httpSettings, dataSettings, logSettings] as const;
/** What a deployable has that owns no data directory. */
export const workerPlatformSettings = [monitorSettings, logSettings] as const;

/** 127.0.0.0/8, ::1 and localhost: nobody outside this machine gets there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
