import { defineSettings, isLoopback, secret, setting } from '#platform/settings';
import { z } from 'zod';

/** host:port, the host of IPv6 in brackets. */
const ADDRESS = /^(?:\[[0-9a-f:]+\]|[^\s:[\]/]+):\d{1,5}$/i;
const MIN_TOKEN_CHARS = 16;

const workers = z
  .strictObject({
    port: setting(z.int().min(0).max(65_535).optional(), {
      description: 'Where worker processes connect; 0 picks a free port and prints it.',
      env: 'WORKERS_PORT',
      defaultText: 'none: this process works alone',
    }),
    host: setting(z.string().min(1).default('127.0.0.1'), {
      description: 'Interface for worker processes. Off the loopback interface it is opened only with a token; what crosses it is not encrypted, so lead it through a tunnel.',
      env: 'WORKERS_HOST',
    }),
    token: setting(secret(z.string().min(MIN_TOKEN_CHARS)).optional(), {
      description: 'What a worker must show, the same on both sides.',
      env: 'WORKERS_TOKEN',
      defaultText: 'none: every process of this machine may be a worker',
    }),
    connect: setting(z.string().regex(ADDRESS, { error: 'must be host:port' }).optional(), {
      description: 'Of a worker: host:port of the process that owns the data directory.',
      env: 'OWNER',
    }),
  })
  .refine(({ port, host, token }) => port === undefined || isLoopback(host) || token !== undefined, {
    path: ['token'],
    error: 'must be set when `host` is not a loopback address',
    when: ({ value }) => typeof (value as { readonly host?: unknown }).host === 'string',
  });

/** `workers`: processes that read and spend for the one that owns the data directory. */
export const workersSettings = defineSettings('workers', workers);
export type WorkersSettings = z.output<typeof workersSettings.schema>;
