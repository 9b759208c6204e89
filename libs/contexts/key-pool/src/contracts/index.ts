export * from './access.ts';
export * from './leasing.ts';
export * from './plans.ts';
export * from './spending.ts';
export * from './tariff.ts';
