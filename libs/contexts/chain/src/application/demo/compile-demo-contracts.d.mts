export function compileDemoContracts(): string;
