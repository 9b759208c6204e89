export * from './access.ts';
export * from '../domain/leasing.ts';
export * from '../domain/plans.ts';
export * from './spending.ts';
export * from '../domain/tariff.ts';
