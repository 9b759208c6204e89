import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import type { SettingsSources } from './environment.ts';
import { fromText, processSources, variable } from './environment.ts';
import type { Layer, Tree } from './layers.ts';
import { at, isTree, laidOver, originOf } from './layers.ts';
import { holdsSecret, objectShape, settingsIn } from './schema-shape.ts';
import type { SettingsFolder, SettingsOf, SettingsPart } from './settings-part.ts';
import { checkParts } from './settings-part.ts';
import type { Context } from './settings-problem.ts';
import { problemsOf, unknownKeyHint, WORDLESS } from './settings-problem.ts';
import { SettingsInvalid, type SettingsProblem } from './settings.errors.ts';
import type { Report } from './yaml-file.ts';
import { readYaml, secretFile, yamlFilesOf } from './yaml-file.ts';

/**
 * One typed value of all parts: schema defaults, config/default.yaml, CONFIG_FILE, environment, secret files; each
 * lies over the one before. Throws `settings-invalid` with every problem at once. `others`: what the same files may hold for
 * other programs, which is not looked at.
 */
export function loadSettings<const Parts extends readonly SettingsPart[]>(
  parts: Parts,
  sources: SettingsSources = processSources(),
  others: readonly SettingsPart[] = [],
): SettingsOf<Parts> {
  checkParts(parts);
  const problems: SettingsProblem[] = [];
  const report: Report = (problem) => {
    // A variable that is missing in two places of a file is told twice, a secret file that both name once.
    if (!problems.some((other) => other.path === problem.path && other.rule === problem.rule)) problems.push(problem);
  };
  const layers = layersOf(parts, sources, report);
  const merged = layers.reduce<Tree>((below, layer) => laidOver(below, layer.value), {});
  reportUnknownParts([...parts, ...others], merged, layers, report);
  const values = parts.map((part) => {
    const given = merged[part.name] ?? {};
    const origin = (path: readonly PropertyKey[]): string | undefined => originOf(layers, [part.name, ...path]);
    return [part.name, part.kind === 'folder' ? parseFolder(part, given, origin, report) : parse(given, { schema: part.schema, name: part.name, place: 'config/default.yaml or CONFIG_FILE', origin }, report)];
  });
  if (problems.length > 0) throw new SettingsInvalid(problems);
  return Object.fromEntries(values) as SettingsOf<Parts>;
}

function layersOf(parts: readonly SettingsPart[], sources: SettingsSources, report: Report): Layer[] {
  const layers: Layer[] = [];
  const standard = join(sources.configDir, 'default.yaml');
  if (existsSync(standard)) layers.push({ label: 'config/default.yaml', value: readYaml(standard, 'config/default.yaml', sources, report) });
  for (const part of parts) {
    if (part.kind === 'folder') layers.push(...folderLayers(part, sources, report));
  }
  const own = variable(sources, 'CONFIG_FILE');
  if (own !== undefined) layers.push({ label: 'CONFIG_FILE', value: readYaml(resolve(own), 'CONFIG_FILE', sources, report) });
  return [...layers, ...environmentLayers(parts, sources), ...secretLayers(parts, sources, report)];
}

function folderLayers({ name, inFiles }: SettingsFolder, sources: SettingsSources, report: Report): Layer[] {
  if (inFiles) return entryLayers(name, sources, report);
  return yamlFilesOf(join(sources.configDir, name)).map((entry) => {
    const label = `config/${name}/${entry.name}.yaml`;
    return { label, value: at([name, entry.name], readYaml(entry.file, label, sources, report)) };
  });
}

/** An entry of one name in two files is a mistake of whoever wrote them: nobody could say which one holds. */
function entryLayers(name: string, sources: SettingsSources, report: Report): Layer[] {
  const claimed = new Map<string, string>();
  const files = yamlFilesOf(sources.configDir).filter((file) => file.name === name || file.name.startsWith(`${name}-`));
  return files.map((entry) => {
    const label = `config/${entry.name}.yaml`;
    const value = readYaml(entry.file, label, sources, report);
    for (const key of Object.keys(value)) {
      const other = claimed.get(key);
      if (other !== undefined) report({ path: `${name}/${key}`, rule: 'must stand in one file only', hint: `It stands in ${other} and in ${label}.` });
      claimed.set(key, label);
    }
    return { label, value: at([name], value) };
  });
}

function environmentLayers(parts: readonly SettingsPart[], sources: SettingsSources): Layer[] {
  return variablesOf(parts).flatMap(({ env, path, schema }) => {
    const text = variable(sources, env);
    return text === undefined ? [] : [{ label: `the environment variable ${env}`, value: at(path, fromText(schema, text)) }];
  });
}

function secretLayers(parts: readonly SettingsPart[], sources: SettingsSources, report: Report): Layer[] {
  return variablesOf(parts).filter(({ schema }) => holdsSecret(schema)).flatMap(({ env, path, schema }) => {
    const text = secretFile(env, sources, report);
    return text === undefined ? [] : [{ label: `the file that ${env}_FILE names`, value: at(path, fromText(schema, text)) }];
  });
}

function variablesOf(parts: readonly SettingsPart[]): { readonly env: string; readonly path: readonly string[]; readonly schema: z.ZodType }[] {
  return parts.flatMap((part) =>
    settingsIn(part.schema).flatMap(({ about, path, schema }) => (about?.env === undefined ? [] : [{ env: about.env, path: [part.name, ...path], schema }])),
  );
}

function reportUnknownParts(parts: readonly SettingsPart[], merged: Tree, layers: readonly Layer[], report: Report): void {
  const known = parts.map((part) => part.name);
  for (const key of Object.keys(merged).filter((name) => !known.includes(name))) {
    report({ path: key, rule: 'is not a setting', hint: unknownKeyHint(key, known, originOf(layers, [key])) });
  }
}

function parseFolder(part: SettingsFolder, given: unknown, origin: Context['origin'], report: Report): unknown {
  if (!isTree(given)) {
    report({ path: part.name, rule: 'must be a map of named entries', hint: `It was given by ${origin([]) ?? 'nobody'}.` });
    return [];
  }
  return Object.entries(given).map(([name, entry]) => {
    const place = part.inFiles ? `config/${part.name}.yaml` : `config/${part.name}/${name}.yaml`;
    const context: Context = { schema: part.schema, name: `${part.name}/${name}`, place, origin: (path) => origin([name, ...path]) };
    return { name, value: parse(entry, context, report) };
  });
}

function parse(given: unknown, context: Context, report: Report): unknown {
  const parsed = context.schema.safeParse(withGroups(context.schema, given), { error: () => WORDLESS });
  if (parsed.success) return parsed.data;
  for (const problem of problemsOf(parsed.error.issues, context)) report(problem);
  return undefined;
}

/** A group that nobody wrote is empty, not absent: the defaults of its settings hold. */
function withGroups(schema: z.ZodType, given: unknown): unknown {
  const object = objectShape(schema);
  if (object === undefined || !isTree(given)) return given;
  const groups = Object.entries(object.shape)
    .filter(([key, child]) => objectShape(child) !== undefined && (given[key] !== undefined || child.def.type === 'object'))
    .map(([key, child]) => [key, withGroups(child, given[key] ?? {})]);
  return { ...given, ...(Object.fromEntries(groups) as Tree) };
}

