import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { SettingsSources } from './environment.ts';
import { variable } from './environment.ts';
import type { Tree } from './layers.ts';
import { isTree } from './layers.ts';
import type { SettingsProblem } from './settings.errors.ts';

/** Takes what is wrong, so that reading goes on and all problems are told at once. */
export type Report = (problem: SettingsProblem) => void;

/** `label` stands for the file in what people read. An empty file is an empty group. */
export function readYaml(file: string, label: string, sources: SettingsSources, report: Report): Tree {
  const text = readText(file);
  if (typeof text !== 'string') {
    report({ path: label, rule: 'must be a readable file', hint: `Reading it failed with ${text.code}.` });
    return {};
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    report({ path: label, rule: 'must be YAML', hint: `${error.code} at line ${line}, column ${col}.` });
  }
  if (document.errors.length > 0) return {};
  const value = document.toJS() as unknown;
  if (value === null || value === undefined) return {};
  if (!isTree(value)) {
    report({ path: label, rule: 'must be a map of settings', hint: 'Write lines like `http:` with their settings below.' });
    return {};
  }
  return withVariables(value, label, sources, report) as Tree;
}

/** Names of the YAML files of a folder, without extension, in order; none where there is no folder. */
export function yamlFilesOf(folder: string): readonly { readonly name: string; readonly file: string }[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'))
    .sort()
    .map((name) => ({ name: name.replace(/\.ya?ml$/, ''), file: join(folder, name) }));
}

/** The content of the file that a `_FILE` variable names, as secrets are mounted. */
export function secretFile(name: string, sources: SettingsSources, report: Report): string | undefined {
  const file = variable(sources, `${name}_FILE`);
  if (file === undefined) return undefined;
  const text = readText(file);
  if (typeof text === 'string') return text.trim();
  report({ path: `${name}_FILE`, rule: 'must name a readable file', hint: `Reading it failed with ${text.code}.` });
  return undefined;
}

const VARIABLE = /\$\{([A-Z][A-Z0-9_]*)\}/g;

/** `${NAME}` inside a text stands for that variable, or for the content of the file that NAME_FILE names. */
function withVariables(value: unknown, path: string, sources: SettingsSources, report: Report): unknown {
  if (typeof value === 'string') {
    return value.replace(VARIABLE, (written, name: string) => {
      const text = secretFile(name, sources, report) ?? variable(sources, name);
      if (text !== undefined) return text;
      report({ path, rule: `needs the environment variable ${name}`, hint: `Set ${name}, or ${name}_FILE to a file that holds it.` });
      return written;
    });
  }
  if (Array.isArray(value)) return value.map((item, index) => withVariables(item, `${path}[${index}]`, sources, report));
  if (!isTree(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, withVariables(child, `${path}: ${key}`, sources, report)]));
}

function readText(file: string): string | { readonly code: string } {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? 'an unknown error' };
  }
}
