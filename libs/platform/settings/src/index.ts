export { processSources, type SettingsSources } from './environment.ts';
export * from './load-settings.ts';
export * from './platform.settings.ts';
export * from './secret.ts';
export { secret, setting, type AboutSetting } from './setting.ts';
export { defineEntries, defineFolder, defineSettings, isSettingsPart } from './settings-part.ts';
export type { FolderEntry, SettingsFolder, SettingsOf, SettingsPart, SettingsSection } from './settings-part.ts';
export * from './settings.errors.ts';
export * from './settings-reference.ts';
