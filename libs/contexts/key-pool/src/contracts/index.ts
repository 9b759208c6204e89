export * from './leasing.ts';
export * from './spending.ts';
export * from './tariff.ts';
