/** Settings as one source gave them. Later layers lie over earlier ones. */
export interface Layer {
  /** For hints: `config/default.yaml`, `the environment variable PORT`. */
  readonly label: string;
  readonly value: Tree;
}

export type Tree = { readonly [key: string]: unknown };

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Groups are merged, everything else is replaced; null takes a setting back to its default. */
export function laidOver(below: Tree, above: Tree): Tree {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const before = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isTree(value) ? laidOver(isTree(before) ? before : {}, value) : value;
  }
  return merged;
}

/** The layer that has the last word on what stands at this path. */
export function originOf(layers: readonly Layer[], path: readonly PropertyKey[]): string | undefined {
  return layers.findLast((layer) => has(layer.value, path))?.label;
}

export function at(path: readonly string[], value: unknown): Tree {
  const [key, ...rest] = path;
  if (key === undefined) return isTree(value) ? value : {};
  return { [key]: rest.length === 0 ? value : at(rest, value) };
}

function has(value: unknown, path: readonly PropertyKey[]): boolean {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return false;
    here = (here as Record<PropertyKey, unknown>)[key];
  }
  return true;
}
