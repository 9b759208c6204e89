import { nodeTooOld } from './node-version.ts';

describe('a Node that is too old', () => {
  it.each(['20.20.2', '18.0.0', '22.21.0'])('is told as such, with the one that is needed and the way to it: %s', (version) => {
    expect(nodeTooOld(version)).toMatch(new RegExp(`needs Node 24 or newer; this is Node ${version}[^]*npm start[^]*npx chainfold`));
  });

  it.each(['24.0.0', '25.1.0', process.versions.node])('is not %s', (version) => {
    expect(nodeTooOld(version)).toBeUndefined();
  });
});
