import { readFileSync } from 'node:fs';
// @ts-expect-error Plain JavaScript, so that it runs without a build.
import { compileDemoContracts } from './compile-demo-contracts.mjs';

describe('the artifact of the demo contracts', () => {
  it('is what solc makes of their source today', () => {
    const artifact = readFileSync(new URL('./demo-contracts.artifact.ts', import.meta.url), 'utf8');
    expect((compileDemoContracts)()).toBe(artifact);
  });
});
