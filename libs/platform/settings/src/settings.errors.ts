import { ChainfoldError } from '#platform/kernel';

/** What is wrong with one setting. Never holds its value: it may be a secret, and errors are printed and logged. */
export interface SettingsProblem {
  /** `http.port`, `chains/mainnet.providers[0].url`. */
  readonly path: string;
  /** What must be true: `must be an integer from 0 to 65535`. */
  readonly rule: string;
  /** Where it was given and the way out. */
  readonly hint: string;
}

/** Everything that is wrong with the settings, at once. `main` prints `report()` and exits with 78. */
export class SettingsInvalid extends ChainfoldError {
  readonly problems: readonly SettingsProblem[];

  constructor(problems: readonly SettingsProblem[]) {
    super('The settings are not valid', {
      code: 'settings-invalid',
      kind: 'invalid',
      facts: { problems: problems.map((problem) => ({ ...problem })) },
      hint: 'Every setting is described in config/reference.md.',
    });
    this.problems = problems;
  }

  /** For a terminal. */
  report(): string {
    const lines = this.problems.map(({ path, rule, hint }) => `  ${path} ${rule}\n      ${hint}`);
    const count = this.problems.length === 1 ? 'one problem' : `${this.problems.length} problems`;
    return [`The settings have ${count}:`, ...lines, `${this.hint ?? ''}`].join('\n');
  }
}
