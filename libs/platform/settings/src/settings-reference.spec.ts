import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { defineFolder, defineSettings, isSettingsPart, secret, setting, settingsReference, type SettingsPart } from './index.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const REFERENCE = join(ROOT, 'config/reference.md');

/** Every part that any `*.settings.ts` of the tree exports: a new one needs no entry anywhere. */
async function allParts(): Promise<readonly SettingsPart[]> {
  const files = globSync('libs/{platform,contexts}/*/src/**/*.settings.ts', { cwd: ROOT }).sort();
  const modules = await Promise.all(files.map((file) => import(join(ROOT, file)) as Promise<Record<string, unknown>>));
  return [...new Set(modules.flatMap((module) => Object.values(module).filter(isSettingsPart)))];
}

describe('the reference of settings', () => {
  it('is config/reference.md, up to date (UPDATE_REFERENCE=1 writes it)', async () => {
    const text = settingsReference(await allParts());
    if (process.env['UPDATE_REFERENCE'] === '1') writeFileSync(REFERENCE, text);
    expect(readFileSync(REFERENCE, 'utf8')).toBe(text);
  });

  it('tells of each setting what it is, what may stand there, its default and its variable, never a secret default', () => {
    const node = defineSettings(
      'node',
      z.strictObject({
        url: setting(secret(z.url()).optional(), { description: 'Where it is.', env: 'NODE_URL' }),
        key: setting(secret(z.string().default('hunter2')), { description: 'Key.' }),
        poll: z.strictObject({ everyMs: setting(z.int().min(50).default(1_000), { description: 'Pause, in ms.' }) }),
        tries: setting(z.int().positive().default(3), { description: 'Tries.' }),
        mode: setting(z.enum(['fast', 'full']), { description: 'How | much.' }),
      }),
    );
    const text = settingsReference([defineFolder('nodes', z.strictObject({ id: setting(z.string(), { description: 'Id.' }) })), node]);
    expect(text).toContain('| `url` | Where it is. | an address like https://host/path, secret | none | `NODE_URL`, `NODE_URL_FILE` |');
    expect(text).toContain('| `poll.everyMs` | Pause, in ms. | an integer, at least 50 | `1000` |  |');
    expect(text).toContain('| `tries` | Tries. | an integer, at least 1 | `3` |  |');
    expect(text).toContain('| `mode` | How \\| much. | `fast` or `full` | **required** |  |');
    expect(text).toContain('One file per entry: `config/nodes/<entry>.yaml`.');
    expect(text).not.toContain('hunter2');
  });
});
